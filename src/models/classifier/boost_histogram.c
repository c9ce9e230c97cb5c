/*
 * boost_histogram.c
 *	  Where boosting spends its time: adding rows to histograms; and what is read
 *	  from them.
 *
 * Promises: see boost_histogram.h.
 */
#include <math.h>
#include <string.h>

#include "models/classifier/boost_histogram.h"

/* Histograms of so many bytes are added to at once: what stays close to the core. */
#define NEAR_BYTES	(32 * 1024)

static int
slots_at_once(const BoostBins *bins, size_t cell)
{
	size_t		slots = NEAR_BYTES / (cell * bins->slot_codes);

	return slots < 1 ? 1 : (int) slots;
}

void
boost_histogram_add(const BoostBins *bins, BoostSums *histogram, const uint8_t *codes,
					const uint32_t *rows, int count, const BoostSums *gradients)
{
	int			step = slots_at_once(bins, sizeof(BoostSums));
	size_t		width = bins->nslots;
	size_t		cells = bins->slot_codes;

	for (int first = 0; first < bins->nslots; first += step)
	{
		int			slots = bins->nslots - first < step ? bins->nslots - first : step;

		for (int i = 0; i < count; i++)
		{
			const uint8_t *code = codes + rows[i] * width + first;
			BoostSums  *cell = histogram + first * cells;
			const BoostSums add = gradients[i];
			int			j = 0;

			/* four at once: codes might be where sums are, for all the compiler knows */
			for (; j + 4 <= slots; j += 4)
			{
				BoostSums  *a = cell + code[j];
				BoostSums  *b = cell + cells + code[j + 1];
				BoostSums  *c = cell + 2 * cells + code[j + 2];
				BoostSums  *d = cell + 3 * cells + code[j + 3];

				a->g += add.g;
				a->h += add.h;
				b->g += add.g;
				b->h += add.h;
				c->g += add.g;
				c->h += add.h;
				d->g += add.g;
				d->h += add.h;
				cell += 4 * cells;
			}
			for (; j < slots; j++)
			{
				BoostSums  *a = cell + code[j];

				a->g += add.g;
				a->h += add.h;
				cell += cells;
			}
		}
	}
}

void
boost_weights_add(const BoostBins *bins, double *histogram, const uint8_t *codes,
				  const uint32_t *rows, int count, const double *weights)
{
	int			step = slots_at_once(bins, sizeof(double));
	size_t		width = bins->nslots;
	size_t		cells = bins->slot_codes;

	for (int first = 0; first < bins->nslots; first += step)
	{
		int			slots = bins->nslots - first < step ? bins->nslots - first : step;

		for (int i = 0; i < count; i++)
		{
			const uint8_t *code = codes + rows[i] * width + first;
			double	   *cell = histogram + first * cells;

			for (int j = 0; j < slots; j++)
			{
				cell[code[j]] += weights[i];
				cell += cells;
			}
		}
	}
}

/*
 * A cell of code c belongs to bin c / step % bins: runs of "step" codes, in turn.
 */
void
boost_histogram_unfold(const BoostBins *bins, const BoostSums *histogram, BoostSums *sums)
{
	memset(sums, 0, sizeof(BoostSums) * bins->nbins);
	for (int j = 0; j < bins->ncolumns; j++)
	{
		const BoostColumn *column = &bins->columns[j];
		const BoostSums *cells = histogram + (size_t) column->slot * bins->slot_codes;
		BoostSums  *sum = sums + column->first_bin;
		int			code = 0;

		while (column->bins > 1 && code < bins->slot_codes)
		{
			for (int bin = 0; bin < column->bins; bin++)
			{
				for (int k = 0; k < column->step && code < bins->slot_codes; k++, code++)
				{
					sum[bin].g += cells[code].g;
					sum[bin].h += cells[code].h;
				}
			}
		}
	}
}

void
boost_weights_unfold(const BoostBins *bins, const double *histogram, double *sums)
{
	memset(sums, 0, sizeof(double) * bins->nbins);
	for (int j = 0; j < bins->ncolumns; j++)
	{
		const BoostColumn *column = &bins->columns[j];
		const double *cells = histogram + (size_t) column->slot * bins->slot_codes;
		double	   *sum = sums + column->first_bin;
		int			code = 0;

		while (column->bins > 1 && code < bins->slot_codes)
		{
			for (int bin = 0; bin < column->bins; bin++)
			{
				for (int k = 0; k < column->step && code < bins->slot_codes; k++, code++)
					sum[bin] += cells[code];
			}
		}
	}
}

/* What a leaf takes off the loss, twice; nothing where it is flat. */
static inline double
worth(const BoostRule *rule, double g, double h)
{
	double		curvature = h + rule->lambda;

	return curvature > 0 ? g * g / curvature : 0;
}

bool
boost_split(const BoostBins *bins, const BoostRule *rule, BoostSums total, const BoostSums *sums,
			const double *weights, BoostChoice *choice)
{
	double		floor = worth(rule, (double) total.g, (double) total.h) + rule->min_gain;
	double		best = floor;
	double		best_unsure = floor;

	choice->column = -1;
	for (int j = 0; j < bins->ncolumns; j++)
	{
		const BoostColumn *column = &bins->columns[j];
		BoostSums	left = {0, 0};
		double		weight_left = 0;
		double		weight = 0;

		for (int b = 0; weights != NULL && b < column->bins; b++)
			weight += weights[column->first_bin + b];
		for (int b = 0; b < column->bins - 1; b++)
		{
			double		h_left;
			double		h_right;
			double		value;

			left.g += sums[column->first_bin + b].g;
			left.h += sums[column->first_bin + b].h;
			h_left = (double) left.h;
			h_right = (double) (total.h - left.h);
			value = worth(rule, (double) left.g, h_left) +
				worth(rule, (double) (total.g - left.g), h_right);
			if (weights != NULL)
			{
				weight_left += weights[column->first_bin + b];
				if (weight_left < rule->min_leaf || weight - weight_left < rule->min_leaf)
					continue;
			}
			else if (h_left < rule->sure_curvature || h_right < rule->sure_curvature)
			{
				if (value > best_unsure)
					best_unsure = value;
				continue;
			}
			if (value > best)
			{
				best = value;
				choice->column = j;
				choice->bin = b;
				choice->left = left;
			}
		}
	}
	/* an unsure split as good as the best may be the first of equals */
	return best_unsure < best || best_unsure == floor;
}
