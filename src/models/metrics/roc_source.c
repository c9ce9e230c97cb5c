/*
 * roc_source.c
 *	  Distinct scores with their numbers, from sorted keys.
 *
 * Promises: see roc.h.
 */
#include "models/metrics/roc.h"

static void
keys_rewind(void *arg)
{
	RankKeys   *keys = arg;

	keys->positive = keys->negative = 0;
}

static int
keys_read(void *arg, RankTally *block)
{
	RankKeys   *keys = arg;
	size_t		i = keys->positive;
	size_t		j = keys->negative;
	int			n = 0;

	keys->poll();
	for (; n < RANK_BLOCK && (i < keys->npositives || j < keys->nnegatives); n++)
	{
		size_t		from_i = i;
		size_t		from_j = j;
		uint64_t	key;

		if (j == keys->nnegatives ||
			(i < keys->npositives && keys->positives[i] < keys->negatives[j]))
			key = keys->positives[i];
		else
			key = keys->negatives[j];
		while (i < keys->npositives && keys->positives[i] == key)
			i++;
		while (j < keys->nnegatives && keys->negatives[j] == key)
			j++;
		block[n].score = rank_score(key);
		block[n].positives = (int64_t) (i - from_i);
		block[n].negatives = (int64_t) (j - from_j);
	}
	keys->positive = i;
	keys->negative = j;
	return n;
}

RankSource
rank_keys_source(RankKeys *keys)
{
	RankSource	source;
	uint64_t	lowest = UINT64_MAX;
	uint64_t	highest = 0;

	if (keys->npositives > 0)
	{
		lowest = keys->positives[0];
		highest = keys->positives[keys->npositives - 1];
	}
	if (keys->nnegatives > 0)
	{
		if (keys->negatives[0] < lowest)
			lowest = keys->negatives[0];
		if (keys->negatives[keys->nnegatives - 1] > highest)
			highest = keys->negatives[keys->nnegatives - 1];
	}
	source.arg = keys;
	source.positives = (int64_t) keys->npositives;
	source.negatives = (int64_t) keys->nnegatives;
	source.lowest = rank_score(lowest);
	source.highest = rank_score(highest);
	source.rewind = keys_rewind;
	source.read = keys_read;
	return source;
}
