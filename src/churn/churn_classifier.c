/*
 * churn_classifier.c
 *	  Which methods there are: one line each.  The first is the default.
 */
#include "churn/churn_classifier.h"

const Classifier *const churn_classifiers[] = {
	&churn_logistic,
	&churn_boost,
	&churn_gap,
	NULL
};

const Classifier *
churn_classifier(int method)
{
	for (int i = 0; churn_classifiers[i] != NULL; i++)
		if (churn_classifiers[i]->method == method)
			return churn_classifiers[i];
	return NULL;
}
