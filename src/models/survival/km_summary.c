/*
 * km_summary.c
 *	  What is read from a Kaplan-Meier curve.
 *
 * Sources and promises: see km_summary.h.
 */
#include "models/survival/km_summary.h"

#include <float.h>
#include <math.h>

#define POLL_MASK 0xfff

KmLimits
km_limits(const KmPoint *point, KmBand band, double z)
{
	double		s = point->survival;
	double		error = z * point->se;
	KmLimits	limits = {NAN, NAN};

	if (!(s > 0))
		return limits;
	if (band == KM_PLAIN)
	{
		limits.low = fmax(s - error, 0);
		limits.high = fmin(s + error, 1);
	}
	else if (band == KM_LOG)
	{
		limits.low = s * exp(-error / s);
		limits.high = fmin(s * exp(error / s), 1);
	}
	else if (s < 1)
	{
		double		spread = error / (s * -log(s));

		limits.low = pow(s, exp(spread));
		limits.high = pow(s, exp(-spread));
	}
	return limits;
}

/* The first point not before i where S is lower than there; n if there is none. */
static size_t
next_drop(const KmPoint *points, size_t n, size_t i)
{
	size_t		low = i + 1;
	size_t		high = n;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (points[middle].survival < points[i].survival)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Where one band comes to a height: the highest of its points that are not above it. */
typedef struct Crossing
{
	double		level;
	double		time;
} Crossing;

static inline void
cross(Crossing *crossing, double level, double height, double time)
{
	if (level <= height && !(level <= crossing->level))
	{
		crossing->level = level;
		crossing->time = time;
	}
}

KmQuantile
km_quantile(const KmPoint *points, size_t n, double p, KmBand band, double z, bool midpoint,
			KmPoll poll)
{
	/* below 1: where nobody has left, no share has */
	double		height = fmin(1 - p + KM_TOLERANCE, 1 - DBL_EPSILON / 2);
	Crossing	low = {NAN, NAN};
	Crossing	high = {NAN, NAN};
	KmQuantile	quantile = {NAN, NAN, NAN};

	for (size_t i = 0; i < n; i++)
	{
		KmLimits	limits = km_limits(&points[i], band, z);

		if ((i & POLL_MASK) == POLL_MASK)
			poll();
		cross(&low, limits.low, height, points[i].time);
		cross(&high, limits.high, height, points[i].time);
		if (isnan(quantile.time) && points[i].survival <= height)
		{
			quantile.time = points[i].time;
			if (midpoint && points[i].survival >= 1 - p - KM_TOLERANCE)
			{
				size_t		next = next_drop(points, n, i);
				double		end = points[next < n ? next : n - 1].time;

				quantile.time += (end - quantile.time) / 2;
			}
		}
	}
	quantile.low = low.time;
	quantile.high = high.time;
	return quantile;
}

/*
 * From behind, where what is left of the area is known.  Areas are squared in
 * units near tau, so that no square is too large or too small for a double.
 */
KmMean
km_restricted_mean(const KmPoint *points, size_t n, double tau, KmPoll poll)
{
	double		until = tau;
	double		area = 0;
	double		variance = 0;
	KmMean		mean;
	int			exponent;

	(void) frexp(tau, &exponent);
	for (size_t i = n; i-- > 0;)
	{
		const KmPoint *point = &points[i];
		double		stay = point->at_risk - point->events;
		double		share;

		if ((i & POLL_MASK) == POLL_MASK)
			poll();
		if (point->time >= tau)
			continue;
		area += point->survival * (until - point->time);
		until = point->time;
		share = ldexp(area, -exponent);
		/* where all have left, no area follows */
		if (point->events > 0 && stay > 0)
			variance += share * share * (point->events / point->at_risk / stay);
	}
	mean.mean = until + area;
	mean.se = ldexp(sqrt(variance), exponent);
	return mean;
}
