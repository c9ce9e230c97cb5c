/*
 * churn_options.c
 *	  Options of churn_model() and churn_score(), given as one jsonb.
 *
 * Promises: an option that is not known, does not belong to the method, or has a
 * value that makes no sense is an error that names it and says what would be
 * right: 22023, or 42804 for a value of another JSON type.
 * Never: leaves an option unread.
 */
#include "churn/churn.h"

#include <float.h>
#include <math.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

typedef enum Option
{
	OPTION_METHOD,
	OPTION_LAMBDA,
	OPTION_MISSING,
	OPTION_RARE,
	OPTION_NAMES,
	OPTION_EXCLUDE,
	OPTION_TREES,
	OPTION_DEPTH,
	OPTION_LEARNING_RATE,
	OPTION_BINS,
	OPTION_MIN_LEAF,
	OPTION_COUNT
} Option;

/* The first of method 'boost' alone. */
#define OPTION_BOOST_FIRST	OPTION_TREES

static const char *const option_names[OPTION_COUNT] = {
	"method", "lambda", "missing", "rare", "names", "exclude",
	"trees", "depth", "learning_rate", "bins", "min_leaf"
};

static const char *const method_words[] = {"logistic", "boost", "gap_survival", NULL};
static const ChurnMethod methods[] = {CHURN_LOGISTIC, CHURN_BOOST, CHURN_GAP};
static const char *const missing_words[] = {"mean", "skip", "error", NULL};

/* A value as JSON, cut to what an error can show. */
static char *
churn_options_value_text(JsonbValue *value)
{
	Jsonb	   *json = JsonbValueToJsonb(value);
	char	   *text = JsonbToCString(NULL, &json->root, VARSIZE(json));
	int			len = strlen(text);

	if (len > 60)
	{
		len = pg_mbcliplen(text, len, 57);
		strcpy(text + len, "...");
	}
	return text;
}

static void
unknown_option(const char *key, int len)
{
	StringInfoData known;

	initStringInfo(&known);
	for (int i = 0; i < OPTION_COUNT; i++)
		appendStringInfo(&known, "%s\"%s\"", i == 0 ? "" : i == OPTION_COUNT - 1 ? " and " : ", ",
						 option_names[i]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown option \"%.*s\"", len, key),
			 errhint("Options are %s.", known.data)));
}

static Option
find_option(const JsonbValue *key)
{
	/* NUL cannot be in a jsonb string; the case of names matters, as in JSON */
	for (int i = 0; i < OPTION_COUNT; i++)
		if (strlen(option_names[i]) == key->val.string.len &&
			memcmp(option_names[i], key->val.string.val, key->val.string.len) == 0)
			return (Option) i;
	unknown_option(key->val.string.val, key->val.string.len);
	return OPTION_COUNT;
}

/* ---------- values ---------- */

static void
churn_options_type_error(Option option, const char *expected, JsonbValue *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("option \"%s\" must be %s, not %s", option_names[option], expected,
					churn_options_value_text(value))));
}

static void
range_error(Option option, const char *expected, JsonbValue *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" must be %s, not %s", option_names[option], expected,
					churn_options_value_text(value))));
}

static double
churn_options_get_number(Option option, JsonbValue *value)
{
	if (value->type != jbvNumeric)
		churn_options_type_error(option, "a number", value);
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											  NumericGetDatum(value->val.numeric)));
}

/* From min to max, both ends included unless "open": then above min. */
static double
churn_options_get_between(Option option, JsonbValue *value, double min, double max, bool open,
			const char *expected)
{
	double		number = churn_options_get_number(option, value);

	/* written so that NaN fails */
	if (!(number >= min && number <= max) || (open && number == min) || isinf(number))
		range_error(option, expected, value);
	return number;
}

static double
get_whole(Option option, JsonbValue *value, double min, double max)
{
	const char *expected = max < PG_INT32_MAX ?
		psprintf("a whole number from %.0f to %.0f", min, max) :
		psprintf("a whole number of at least %.0f", min);
	double		number = churn_options_get_between(option, value, min, max, false, expected);

	if (number != floor(number))
		range_error(option, expected, value);
	return number;
}

static int
get_word(Option option, JsonbValue *value, const char *const *words, const char *expected)
{
	int			word;

	if (value->type != jbvString)
		churn_options_type_error(option, expected, value);
	word = retention_word_index(value->val.string.val, value->val.string.len, words);
	if (word < 0)
		range_error(option, expected, value);
	return word;
}

static char **
get_texts(Option option, JsonbValue *value, int *n)
{
	JsonbIterator *it;
	JsonbValue	item;
	JsonbIteratorToken token;
	char	  **texts;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerIsScalar(value->val.binary.data))
		churn_options_type_error(option, "an array of texts", value);
	texts = palloc(sizeof(char *) * (JsonContainerSize(value->val.binary.data) + 1));
	*n = 0;
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (item.type != jbvString)
			churn_options_type_error(option, "an array of texts", value);
		if (item.val.string.len == 0)
			range_error(option, "an array of texts that are not empty", value);
		texts[*n] = pnstrdup(item.val.string.val, item.val.string.len);
		for (int i = 0; i < *n; i++)
			if (strcmp(texts[i], texts[*n]) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("option \"%s\" has \"%s\" twice", option_names[option],
								texts[i])));
		(*n)++;
		if (*n > CHURN_FEATURES_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("option \"%s\" has more than %d texts", option_names[option],
							CHURN_FEATURES_MAX)));
	}
	return texts;
}

/* ---------- all of them ---------- */

static void
set_option(ChurnOptions *options, Option option, JsonbValue *value)
{
	switch (option)
	{
		case OPTION_METHOD:
			break;				/* was first */
		case OPTION_LAMBDA:
			options->lambda = options->boost.lambda =
				churn_options_get_between(option, value, 0, DBL_MAX, false, "a number of at least 0");
			break;
		case OPTION_MISSING:
			options->missing = (ChurnMissing)
				get_word(option, value, missing_words, "\"mean\", \"skip\" or \"error\"");
			break;
		case OPTION_RARE:
			options->rare = (int64) get_whole(option, value, 1, 1e15);
			break;
		case OPTION_NAMES:
			options->names = get_texts(option, value, &options->nnames);
			break;
		case OPTION_EXCLUDE:
			options->exclude = get_texts(option, value, &options->nexclude);
			break;
		case OPTION_TREES:
			options->boost.trees = (int) get_whole(option, value, 1, BOOST_TREES_MAX);
			break;
		case OPTION_DEPTH:
			options->boost.depth = (int) get_whole(option, value, 1, BOOST_DEPTH_MAX);
			break;
		case OPTION_LEARNING_RATE:
			options->boost.learning_rate =
				churn_options_get_between(option, value, 0, 1, true, "a number above 0, and at most 1");
			break;
		case OPTION_BINS:
			options->boost.bins = (int) get_whole(option, value, 2, 255);
			break;
		case OPTION_MIN_LEAF:
			options->boost.min_leaf =
				churn_options_get_between(option, value, 0, DBL_MAX, false, "a number of at least 0");
			break;
		case OPTION_COUNT:
			break;
	}
}

static void
set_defaults(ChurnOptions *options)
{
	memset(options, 0, sizeof(ChurnOptions));
	options->method = CHURN_LOGISTIC;
	options->missing = CHURN_MISSING_MEAN;
	options->lambda = 1;
	options->rare = 10;
	options->boost.trees = BOOST_DEFAULT_TREES;
	options->boost.depth = BOOST_DEFAULT_DEPTH;
	options->boost.bins = BOOST_DEFAULT_BINS;
	options->boost.learning_rate = BOOST_DEFAULT_LEARNING_RATE;
	options->boost.lambda = BOOST_DEFAULT_LAMBDA;
	options->boost.min_leaf = BOOST_DEFAULT_MIN_LEAF;
}

/* An option that the method does not know. */
static void
check_method(const ChurnOptions *options, Option option)
{
	if (option == OPTION_METHOD ||
		(options->method != CHURN_GAP &&
		 (option < OPTION_BOOST_FIRST || options->method == CHURN_BOOST)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" is not for method \"%s\"", option_names[option],
					churn_method_name(options->method)),
			 option < OPTION_BOOST_FIRST ? errhint("Leave it out.") :
			 errhint("Add \"method\": \"boost\", or leave it out.")));
}

static void
set_all(ChurnOptions *options, Jsonb *json)
{
	JsonbIterator *it = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	Option		option = OPTION_COUNT;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			option = find_option(&value);
		else if (token == WJB_VALUE)
		{
			check_method(options, option);
			set_option(options, option, &value);
		}
	}
}

void
churn_options_parse(const struct varlena *jsonb, ChurnInput input, ChurnOptions *options)
{
	Jsonb	   *json = (Jsonb *) unconstify(struct varlena *, jsonb);
	JsonbValue *method;
	JsonbValue	key;

	set_defaults(options);
	if (json == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object"),
				 errhint("Write them by name: '{\"lambda\": 10}'.")));
	key.type = jbvString;
	key.val.string.val = unconstify(char *, option_names[OPTION_METHOD]);
	key.val.string.len = strlen(option_names[OPTION_METHOD]);
	method = findJsonbValueFromContainer(&json->root, JB_FOBJECT, &key);
	if (method != NULL)
	{
		const char *expected = input == CHURN_HISTORY ?
			"\"logistic\", \"boost\" or \"gap_survival\"" : "\"logistic\" or \"boost\"";

		options->method = methods[get_word(OPTION_METHOD, method, method_words, expected)];
		if (options->method == CHURN_GAP && input != CHURN_HISTORY)
			range_error(OPTION_METHOD, expected, method);
	}
	set_all(options, json);
}
