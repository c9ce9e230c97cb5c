/*
 * churn_options.c
 *	  Options of churn_model() and churn_score(), given as one jsonb.
 *
 * Promises: an option that is not known, does not belong to the method, or has a
 * value that makes no sense is an error that names it and says what would be
 * right: 22023, or 42804 for a value of another JSON type.
 * Never: leaves an option unread.
 */
#include "churn/churn_classifier.h"

#include <float.h>
#include <math.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

/* What every method takes that learns from rows; the first of them all methods. */
typedef enum CommonOption
{
	OPTION_METHOD,
	OPTION_LAMBDA,
	OPTION_MISSING,
	OPTION_RARE,
	OPTION_NAMES,
	OPTION_EXCLUDE,
	OPTION_COMMON_COUNT			/* that of one method alone */
} CommonOption;

static const char *const common_names[OPTION_COMMON_COUNT] = {
	"method", "lambda", "missing", "rare", "names", "exclude"
};

typedef struct Option
{
	const char *name;
	CommonOption common;
	const Classifier *owner;	/* of one that is not common */
	const ClassifierOption *own;
} Option;

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

/* Appends "a", "b" <word> "c" one by one: the i-th of n. */
static void
churn_options_put_name(StringInfo buf, const char *name, int i, int n, const char *word)
{
	if (i > 0 && i == n - 1)
		appendStringInfo(buf, " %s ", word);
	else if (i > 0)
		appendStringInfoString(buf, ", ");
	appendStringInfo(buf, "\"%s\"", name);
}

static void
unknown_option(const char *key, int len)
{
	StringInfoData known;
	int			n = OPTION_COMMON_COUNT;
	int			i = 0;

	for (const Classifier *const *c = churn_classifiers; *c != NULL; c++)
		for (const ClassifierOption *own = (*c)->options; own && own->name; own++)
			n++;
	initStringInfo(&known);
	while (i < OPTION_COMMON_COUNT)
	{
		churn_options_put_name(&known, common_names[i], i, n, "and");
		i++;
	}
	for (const Classifier *const *c = churn_classifiers; *c != NULL; c++)
		for (const ClassifierOption *own = (*c)->options; own && own->name; own++)
			churn_options_put_name(&known, own->name, i++, n, "and");
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown option \"%.*s\"", len, key),
			 errhint("Options are %s.", known.data)));
}

/* NUL cannot be in a jsonb string; the case of names matters, as in JSON. */
static bool
is_key(const JsonbValue *key, const char *name)
{
	return strlen(name) == key->val.string.len &&
		memcmp(name, key->val.string.val, key->val.string.len) == 0;
}

static bool
find_own(const Classifier *owner, const JsonbValue *key, Option *option)
{
	for (const ClassifierOption *own = owner->options; own && own->name; own++)
		if (is_key(key, own->name))
		{
			*option = (Option) {own->name, OPTION_COMMON_COUNT, owner, own};
			return true;
		}
	return false;
}

/* Of several methods that have an option of this name, the one that was asked for is meant. */
static void
find_option(const ChurnOptions *options, const JsonbValue *key, Option *option)
{
	for (int i = 0; i < OPTION_COMMON_COUNT; i++)
		if (is_key(key, common_names[i]))
		{
			*option = (Option) {common_names[i], (CommonOption) i, NULL, NULL};
			return;
		}
	if (find_own(options->classifier, key, option))
		return;
	for (const Classifier *const *c = churn_classifiers; *c != NULL; c++)
		if (find_own(*c, key, option))
			return;
	unknown_option(key->val.string.val, key->val.string.len);
}

/* ---------- values ---------- */

static void
churn_options_type_error(const char *name, const char *expected, JsonbValue *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("option \"%s\" must be %s, not %s", name, expected,
					churn_options_value_text(value))));
}

static void
range_error(const char *name, const char *expected, JsonbValue *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" must be %s, not %s", name, expected,
					churn_options_value_text(value))));
}

static double
churn_options_get_number(const char *name, JsonbValue *value)
{
	if (value->type != jbvNumeric)
		churn_options_type_error(name, "a number", value);
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											  NumericGetDatum(value->val.numeric)));
}

/* From min to max, both ends included unless "open": then above min. */
static double
churn_options_get_between(const char *name, JsonbValue *value, double min, double max, bool open,
						  const char *expected)
{
	double		number = churn_options_get_number(name, value);

	/* written so that NaN fails */
	if (!(number >= min && number <= max) || (open && number == min) || isinf(number))
		range_error(name, expected, value);
	return number;
}

static double
get_whole(const char *name, JsonbValue *value, double min, double max)
{
	const char *expected = max < PG_INT32_MAX ?
	psprintf("a whole number from %.0f to %.0f", min, max) :
	psprintf("a whole number of at least %.0f", min);
	double		number = churn_options_get_between(name, value, min, max, false, expected);

	if (number != floor(number))
		range_error(name, expected, value);
	return number;
}

static int
get_word(const char *name, JsonbValue *value, const char *const *words, const char *expected)
{
	int			word;

	if (value->type != jbvString)
		churn_options_type_error(name, expected, value);
	word = retention_word_index(value->val.string.val, value->val.string.len, words);
	if (word < 0)
		range_error(name, expected, value);
	return word;
}

static char **
get_texts(const char *name, JsonbValue *value, int *n)
{
	JsonbIterator *it;
	JsonbValue	item;
	JsonbIteratorToken token;
	char	  **texts;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerIsScalar(value->val.binary.data))
		churn_options_type_error(name, "an array of texts", value);
	texts = palloc(sizeof(char *) * (JsonContainerSize(value->val.binary.data) + 1));
	*n = 0;
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (item.type != jbvString)
			churn_options_type_error(name, "an array of texts", value);
		if (item.val.string.len == 0)
			range_error(name, "an array of texts that are not empty", value);
		texts[*n] = pnstrdup(item.val.string.val, item.val.string.len);
		for (int i = 0; i < *n; i++)
			if (strcmp(texts[i], texts[*n]) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("option \"%s\" has \"%s\" twice", name,
								texts[i])));
		(*n)++;
		if (*n > CHURN_FEATURES_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("option \"%s\" has more than %d texts", name,
							CHURN_FEATURES_MAX)));
	}
	return texts;
}

/* ---------- all of them ---------- */

static void
set_common(ChurnOptions *options, CommonOption option, JsonbValue *value)
{
	const char *name = common_names[option];

	switch (option)
	{
		case OPTION_METHOD:
			break;				/* was first */
		case OPTION_LAMBDA:
			options->lambda =
				churn_options_get_between(name, value, 0, DBL_MAX, false, "a number of at least 0");
			break;
		case OPTION_MISSING:
			options->missing = (ChurnMissing)
				get_word(name, value, missing_words, "\"mean\", \"skip\" or \"error\"");
			break;
		case OPTION_RARE:
			options->rare = (int64) get_whole(name, value, 1, 1e15);
			break;
		case OPTION_NAMES:
			options->names = get_texts(name, value, &options->nnames);
			break;
		case OPTION_EXCLUDE:
			options->exclude = get_texts(name, value, &options->nexclude);
			break;
		case OPTION_COMMON_COUNT:
			break;
	}
}

static void
set_own(ChurnOptions *options, const ClassifierOption *own, JsonbValue *value)
{
	char	   *place = (char *) options + own->offset;

	if (own->whole)
		*(int *) place = (int) get_whole(own->name, value, own->min, own->max);
	else
		*(double *) place = churn_options_get_between(own->name, value, own->min, own->max,
													  own->above, own->expected);
}

static void
set_defaults(ChurnOptions *options, const Classifier *classifier)
{
	memset(options, 0, sizeof(ChurnOptions));
	options->classifier = classifier;
	options->missing = CHURN_MISSING_MEAN;
	options->lambda = classifier->lambda;
	options->rare = 10;
	if (classifier->set_defaults != NULL)
		classifier->set_defaults(options);
}

/* An option that the method does not know. */
static void
check_method(const ChurnOptions *options, const Option *option)
{
	const Classifier *classifier = options->classifier;

	if (option->own != NULL ? option->owner == classifier :
		option->common == OPTION_METHOD || classifier->fit != NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" is not for method \"%s\"", option->name, classifier->name),
			 option->own == NULL ? errhint("Leave it out.") :
			 errhint("Add \"method\": \"%s\", or leave it out.", option->owner->name)));
}

static void
set_all(ChurnOptions *options, Jsonb *json)
{
	JsonbIterator *it = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	Option		option = {0};

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			find_option(options, &value, &option);
		else if (token == WJB_VALUE)
		{
			check_method(options, &option);
			if (option.own != NULL)
				set_own(options, option.own, &value);
			else
				set_common(options, option.common, &value);
		}
	}
}

/* ---------- the method ---------- */

static bool
is_for(const Classifier *classifier, ChurnInput input)
{
	return classifier->fit != NULL || input == CHURN_HISTORY;
}

static const Classifier *
get_classifier(JsonbValue *value, ChurnInput input)
{
	const char *name = common_names[OPTION_METHOD];
	const char *words[CHURN_METHOD_LAST + 2];
	StringInfoData expected;
	int			n = 0;
	int			i = 0;
	int			word;

	for (const Classifier *const *c = churn_classifiers; *c != NULL; c++)
		n += is_for(*c, input);
	initStringInfo(&expected);
	for (const Classifier *const *c = churn_classifiers; *c != NULL; c++)
		if (is_for(*c, input))
			churn_options_put_name(&expected, (*c)->name, i++, n, "or");
	i = 0;
	for (const Classifier *const *c = churn_classifiers; *c != NULL; c++)
		words[i++] = (*c)->name;
	words[i] = NULL;
	word = get_word(name, value, words, expected.data);
	if (!is_for(churn_classifiers[word], input))
		range_error(name, expected.data, value);
	return churn_classifiers[word];
}

void
churn_options_parse(const struct varlena *jsonb, ChurnInput input, ChurnOptions *options)
{
	Jsonb	   *json = (Jsonb *) unconstify(struct varlena *, jsonb);
	JsonbValue *method;
	JsonbValue	key;

	set_defaults(options, churn_classifiers[0]);
	if (json == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object"),
				 errhint("Write them by name: '{\"lambda\": 10}'.")));
	key.type = jbvString;
	key.val.string.val = unconstify(char *, common_names[OPTION_METHOD]);
	key.val.string.len = strlen(common_names[OPTION_METHOD]);
	method = findJsonbValueFromContainer(&json->root, JB_FOBJECT, &key);
	if (method != NULL)
		set_defaults(options, get_classifier(method, input));
	set_all(options, json);
}
