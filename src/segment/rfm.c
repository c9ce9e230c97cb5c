/*
 * rfm.c
 *	  Scores of recency, frequency and monetary value as one text.
 *
 * Promises, never: see rfm.h.
 */
#include "segment/rfm.h"

#include "utils/builtins.h"

const char *const rfm_score_names[RFM_SCORES] = {"recency", "frequency", "monetary"};

text *
rfm_score_to_text(const RfmScore *score)
{
	char		buf[2 * RFM_SCORES + 1];
	int			len = 0;
	bool		same = true;

	for (int i = 0; i < score->n; i++)
	{
		buf[len++] = (char) ('0' + score->scores[i]);
		same &= score->bins[i] == score->bins[0];
	}
	if (!same || score->bins[0] != RFM_DEFAULT_BINS)
	{
		buf[len++] = '/';
		for (int i = 0; i < (same ? 1 : score->n); i++)
			buf[len++] = (char) ('0' + score->bins[i]);
	}
	return cstring_to_text_with_len(buf, len);
}

/* How many digits there are from "at" on. */
static int
rfm_digits(const char *at, const char *end)
{
	int			n = 0;

	while (at + n < end && at[n] >= '0' && at[n] <= '9')
		n++;
	return n;
}

static void
rfm_text_error(const text *source)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" is no score of rfm_score()", text_to_cstring(source)),
			 errhint("It has one digit each for recency, frequency and monetary value, as '543', and bins other than five after a slash, as '443/4'.")));
}

RfmScore
rfm_score_from_text(const text *source)
{
	const char *at = VARDATA_ANY(source);
	const char *end = at + VARSIZE_ANY_EXHDR(source);
	const char *bins = NULL;
	RfmScore	score = {0};
	int			given = 0;

	score.n = rfm_digits(at, end);
	if (score.n != RFM_SCORES && score.n != RFM_SCORES - 1)
		rfm_text_error(source);
	if (at + score.n < end)
	{
		bins = at + score.n + 1;
		given = rfm_digits(bins, end);
		if (bins[-1] != '/' || bins + given != end || (given != 1 && given != score.n))
			rfm_text_error(source);
	}
	for (int i = 0; i < score.n; i++)
	{
		score.bins[i] = given == 0 ? RFM_DEFAULT_BINS : bins[given == 1 ? 0 : i] - '0';
		if (score.bins[i] < 2)
			rfm_text_error(source);
		score.scores[i] = at[i] - '0';
		rfm_score_check(i, score.scores[i], score.bins[i]);
	}
	return score;
}

void
rfm_score_check(int i, int32 score, int32 bins)
{
	if (score < 1 || score > bins)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s score must be between 1 and %d, not %d", rfm_score_names[i], bins,
						score),
				 score > bins ? errhint("Say how many bins the scores have, as in '776/9' or bins => 9.") : 0));
}
