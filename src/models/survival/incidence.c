/*
 * incidence.c
 *	  Cumulative incidence of competing causes, with its infinitesimal jackknife.
 *
 * Promises: see incidence.h; the time it takes is linear in rows and points.
 *
 * What a customer's weight does to F and, relative to S, to S: call it (x, y).  Both
 * are 0 when the customer comes to be at risk.  A point at which the customer is at
 * risk and stays moves (x, y) to (x + S(s-) d/n (y - 1/n), y + D/(n (n - D))), D
 * being events of all causes: the same map for everybody, so that the sums of
 * squares and products follow from those before it, and those of one customer from
 * sums up to entry and up to now.  Who has left keeps y, and x moves by y times what F
 * moves.
 *
 * Where few stay of many, or nearly all have left for one cause, these sums become
 * small by cancellation: so they are kept in twice the precision.
 */
#include "models/survival/incidence.h"

#include <math.h>
#include <string.h>

#define POLL_STEPS	65536

/* A standard error that no digit of an incidence shows: what is left of cancellation. */
#define NO_ERROR	0x1p-50

/* Sums over customers, each counted with the square of its weight. */
typedef struct Moments
{
	DoubleDouble n;
	DoubleDouble x;
	DoubleDouble y;
	DoubleDouble xx;
	DoubleDouble xy;
	DoubleDouble yy;
} Moments;

/* What a point does to one cause. */
typedef struct Step
{
	DoubleDouble gain;			/* of incidence: S(s-) d / n */
	DoubleDouble once;			/* S(s-) / n */
	DoubleDouble less;			/* 1 / n */
	DoubleDouble more;			/* D / (n (n - D)) */
	DoubleDouble gone;			/* 1 / (n - D); 0 if nobody stays */
} Step;

static void
incidence_poll(const Incidence *data, size_t step)
{
	if (step % POLL_STEPS == POLL_STEPS - 1)
		data->poll();
}

static void
add_to(DoubleDouble *sum, DoubleDouble more)
{
	*sum = double_double_add(*sum, more);
}

static DoubleDouble
row_weight(const IncidenceRow *row)
{
	return double_double_multiply(double_double(row->weight), double_double((double) row->count));
}

static DoubleDouble
row_square(const IncidenceRow *row)
{
	return double_double_multiply(double_double(row->weight), row_weight(row));
}

/* Distinct times, and the events at each. */
static void
find_points(Incidence *data)
{
	data->npoints = 0;
	for (size_t i = 0; i < data->n; i++)
	{
		const IncidenceRow *row = &data->rows[i];
		IncidencePoint *point;

		if (i == 0 || row->time != data->rows[i - 1].time)
		{
			point = &data->points[data->npoints++];
			memset(point, 0, sizeof(IncidencePoint));
			point->first = i;
		}
		point = &data->points[data->npoints - 1];
		if (row->cause != INCIDENCE_CENSORED)
			add_to(&point->events, row_weight(row));
		incidence_poll(data, i);
	}
}

/* Backwards: those who leave later, less those who enter later. */
static void
find_at_risk(Incidence *data)
{
	DoubleDouble at_risk = {0};
	int64_t		present = 0;
	size_t		left = data->n;
	size_t		entered = data->n;

	for (size_t j = data->npoints; j-- > 0;)
	{
		IncidencePoint *point = &data->points[j];
		int64_t		time = data->rows[point->first].time;

		for (; left > point->first; left--)
		{
			add_to(&at_risk, row_weight(&data->rows[left - 1]));
			present += data->rows[left - 1].count;
			incidence_poll(data, left);
		}
		for (; data->by_entry != NULL && entered > 0; entered--)
		{
			size_t		i = data->by_entry[entered - 1];

			if (data->rows[i].entry < time)
				break;
			data->missed[i] = j + 1;
			add_to(&at_risk, double_double_minus(row_weight(&data->rows[i])));
			present -= data->rows[i].count;
			incidence_poll(data, entered);
		}
		point->at_risk = at_risk;
		point->present = present;
	}
	while (data->by_entry != NULL && entered > 0)
		data->missed[data->by_entry[--entered]] = 0;
}

/* Rows of a point: up to here. */
static size_t
end_of_point(const Incidence *data, size_t j)
{
	return j + 1 < data->npoints ? data->points[j + 1].first : data->n;
}

void
incidence_points(Incidence *data)
{
	DoubleDouble survival = double_double(1);
	DoubleDouble growth = double_double(0);

	find_points(data);
	find_at_risk(data);
	for (size_t j = 0; j < data->npoints; j++)
	{
		IncidencePoint *point = &data->points[j];
		DoubleDouble rest = double_double_subtract(point->at_risk, point->events);
		int64_t		staying = point->present;

		for (size_t i = point->first; i < end_of_point(data, j); i++)
			if (data->rows[i].cause != INCIDENCE_CENSORED)
				staying -= data->rows[i].count;
		/* counted, for sums of weights may differ by a rounding */
		if (staying == 0 || rest.high <= 0)
			survival = double_double(0);
		else if (point->events.high > 0)
		{
			survival = double_double_divide(double_double_multiply(survival, rest), point->at_risk);
			add_to(&growth, double_double_divide(point->events,
												 double_double_multiply(point->at_risk, rest)));
		}
		point->survival = survival;
		point->growth = growth;
		incidence_poll(data, j);
	}
}

/* (x, y) of a row at risk, just after point j - 1. */
static void
row_influence(const Incidence *data, const IncidenceEstimate *estimates, size_t i, size_t j,
			  DoubleDouble *x, DoubleDouble *y)
{
	size_t		missed = data->by_entry == NULL ? 0 : data->missed[i];

	*x = *y = double_double(0);
	if (j == missed)
		return;
	*x = estimates[j - 1].influence;
	*y = data->points[j - 1].growth;
	if (missed > 0)
	{
		const IncidenceEstimate *before = &estimates[missed - 1];
		DoubleDouble growth = data->points[missed - 1].growth;
		DoubleDouble gained = double_double_subtract(estimates[j - 1].incidence, before->incidence);

		*x = double_double_subtract(*x, before->influence);
		*x = double_double_subtract(*x, double_double_multiply(growth, gained));
		*y = double_double_subtract(*y, growth);
	}
}

static void
moments_add(Moments *sums, DoubleDouble n, DoubleDouble x, DoubleDouble y)
{
	DoubleDouble nx = double_double_multiply(n, x);
	DoubleDouble ny = double_double_multiply(n, y);

	add_to(&sums->n, n);
	add_to(&sums->x, nx);
	add_to(&sums->y, ny);
	add_to(&sums->xx, double_double_multiply(nx, x));
	add_to(&sums->xy, double_double_multiply(nx, y));
	add_to(&sums->yy, double_double_multiply(ny, y));
}

/* x becomes x + gain (y - less) */
static void
moments_move_x(Moments *sums, DoubleDouble gain, DoubleDouble less)
{
	/* sums of z = y - less, and of its products */
	DoubleDouble z = double_double_subtract(sums->y, double_double_multiply(less, sums->n));
	DoubleDouble xz = double_double_subtract(sums->xy, double_double_multiply(less, sums->x));
	DoubleDouble yz = double_double_subtract(sums->yy, double_double_multiply(less, sums->y));
	DoubleDouble zz = double_double_subtract(yz, double_double_multiply(less, z));

	add_to(&sums->xx, double_double_multiply(gain, double_double_add(double_double_add(xz, xz),
																	 double_double_multiply(gain, zz))));
	add_to(&sums->xy, double_double_multiply(gain, yz));
	add_to(&sums->x, double_double_multiply(gain, z));
}

/* y becomes y + more */
static void
moments_move_y(Moments *sums, DoubleDouble more)
{
	DoubleDouble shift = double_double_multiply(more, sums->n);

	add_to(&sums->xy, double_double_multiply(more, sums->x));
	add_to(&sums->yy, double_double_multiply(more, double_double_add(double_double_add(sums->y, sums->y), shift)));
	add_to(&sums->y, shift);
}

/* Rows that leave at point j: out of those at risk, into those who have left. */
static void
leave(const Incidence *data, int32_t cause, const IncidenceEstimate *estimates, size_t j,
	  const Step *step, Moments *at_risk, Moments *left)
{
	for (size_t i = data->points[j].first; i < end_of_point(data, j); i++)
	{
		const IncidenceRow *row = &data->rows[i];
		DoubleDouble n = row_square(row);
		DoubleDouble x;
		DoubleDouble y;

		row_influence(data, estimates, i, j, &x, &y);
		moments_add(at_risk, double_double_minus(n), x, y);
		add_to(&x, double_double_multiply(step->gain, double_double_subtract(y, step->less)));
		add_to(&y, step->more);
		if (row->cause == cause)
			add_to(&x, step->once);
		if (row->cause != INCIDENCE_CENSORED)
			y = double_double_subtract(y, step->gone);
		moments_add(left, n, x, y);
		incidence_poll(data, i);
	}
}

/* Returns how many customers stay. */
static int64_t
find_step(const Incidence *data, int32_t cause, size_t j, Step *step, double *of_cause)
{
	const IncidencePoint *point = &data->points[j];
	DoubleDouble survival = j > 0 ? data->points[j - 1].survival : double_double(1);
	DoubleDouble events = double_double(0);
	int64_t		staying = point->present;

	for (size_t i = point->first; i < end_of_point(data, j); i++)
	{
		staying -= data->rows[i].count;
		if (data->rows[i].cause == cause)
			add_to(&events, row_weight(&data->rows[i]));
	}
	*of_cause = events.high;
	step->less = double_double_divide(double_double(1), point->at_risk);
	step->once = double_double_multiply(survival, step->less);
	step->gain = double_double_multiply(step->once, events);
	step->more = point->growth;
	if (j > 0)
		step->more = double_double_subtract(step->more, data->points[j - 1].growth);
	step->gone = double_double(0);
	if (point->survival.high > 0)
		step->gone = double_double_divide(double_double(1), double_double_subtract(point->at_risk, point->events));
	return staying;
}

void
incidence_estimate(const Incidence *data, int32_t cause, IncidenceEstimate *estimates)
{
	Moments		at_risk = {0};
	Moments		left = {0};
	size_t		entered = 0;
	DoubleDouble incidence = double_double(0);
	DoubleDouble influence = double_double(0);

	for (size_t i = 0; data->by_entry == NULL && i < data->n; i++)
		add_to(&at_risk.n, row_square(&data->rows[i]));
	for (size_t j = 0; j < data->npoints; j++)
	{
		DoubleDouble growth = j > 0 ? data->points[j - 1].growth : double_double(0);
		Step		step;
		int64_t		staying = find_step(data, cause, j, &step, &estimates[j].events);

		for (; data->by_entry != NULL && entered < data->n &&
			 data->missed[data->by_entry[entered]] <= j; entered++)
			add_to(&at_risk.n, row_square(&data->rows[data->by_entry[entered]]));
		moments_move_x(&left, step.gain, double_double(0));
		leave(data, cause, estimates, j, &step, &at_risk, &left);
		if (staying == 0)
			memset(&at_risk, 0, sizeof(Moments));
		moments_move_x(&at_risk, step.gain, step.less);
		moments_move_y(&at_risk, step.more);

		add_to(&influence, double_double_multiply(step.gain, double_double_subtract(growth, step.less)));
		add_to(&incidence, step.gain);
		estimates[j].incidence = incidence;
		estimates[j].influence = influence;
		estimates[j].se = sqrt(fmax(double_double_add(left.xx, at_risk.xx).high, 0));
		if (estimates[j].se < NO_ERROR)
			estimates[j].se = 0;
		incidence_poll(data, j);
	}
}
