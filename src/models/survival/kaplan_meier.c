/*
 * kaplan_meier.c
 *	  The product-limit estimate of survival.
 *
 * Sources and promises: see kaplan_meier.h.
 */
#include "models/survival/kaplan_meier.h"

#include <math.h>

void
km_continue(KmRun *run, KmPoint *points, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		KmPoint    *point = &points[i];
		double		risk = point->at_risk;
		double		stay = risk - point->events;

		if (point->events > 0)
		{
			if (risk != run->left)
			{
				run->before = run->survival;
				run->start = risk;
			}
			run->survival = stay > 0 ? run->before * (stay / run->start) : 0;
			run->left = stay;
			run->greenwood += point->events / risk / stay;
			run->hazard += point->events / risk;
			run->hazard_variance += point->events / risk / risk;
		}
		point->survival = run->survival;
		point->se = run->survival > 0 ? run->survival * sqrt(run->greenwood) : NAN;
		point->hazard = run->hazard;
		point->hazard_se = sqrt(run->hazard_variance);
	}
}

void
km_estimate(KmPoint *points, size_t n)
{
	KmRun		run = KM_RUN_START;

	km_continue(&run, points, n);
}

const KmPoint *
km_point(const KmPoint *points, size_t n, double time)
{
	size_t		low = 0;		/* points before low are not after time */
	size_t		high = n;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (points[middle].time <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? NULL : &points[low - 1];
}

double
km_survival(const KmPoint *points, size_t n, double time)
{
	const KmPoint *point = km_point(points, n, time);

	return point == NULL ? 1 : point->survival;
}
