/*
 * fit_test.c
 *	  Models of purchases, contracts and spend where formulas overflow or cancel, and
 *	  their fits: the published ones, and those to customers made up by rule.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/small_matrix.h"
#include "models/purchase/purchase_model.h"
#include "tap.h"

/*
 * Computed with mpmath at 60 and at 100 digits, by two formulas each: ln L, P(alive),
 * expected purchases in t, P(none in t; -1: not asked).  What is below 1e-300 is 0.
 */
static const struct
{
	PurchaseKind kind;
	const char *name;
	double		params[MODEL_PARAMS_MAX];
	double		x;
	double		t_x;
	double		age;
	double		t;
	double		expected[4];
}			extremes[] = {
	{PURCHASE_BG_NBD, "cdnow", {0.2425945, 4.4136019, 0.7929199, 2.4258881}, 5000, 0.001, 1000, 1,
	{30143.951347041169, 0, 0, 1}},
	{PURCHASE_BG_NBD, "a is 1", {0.5, 10, 1, 2.5}, 0, 0, 0.001, 39,
	{-0.000049997500166654168, 1, 1.2084345909031694, 0.45177192869141408}},
	{PURCHASE_BG_NBD, "ab is 1", {0.3, 5, 0.4, 0.6}, 171, 500000, 1000000, 1,
	{-1548.8717923871222, 1.1583845292639295e-49, 1.9843023795646452e-53, 1}},
	{PURCHASE_BG_NBD, "a near 1", {0.5, 10, 1.000000001, 2.5}, 50, 0.000999999, 0.001, 1,
	{27.787295072029354, 0.9809523808393473, 4.7292108042168684, 0.027018690329771241}},
	{PURCHASE_BG_NBD, "a big b small", {0.5, 5, 20, 0.01}, 50, 38.999961, 39, 10000,
	{-90.865812405136677, 0.71017771649078033, 2.5794402218436185, 0.28982228350921967}},
	{PURCHASE_BG_NBD, "alpha 1e-6", {0.25, 0.000001, 0.8, 2.4}, 170, 0.5, 1, 10000,
	{807.16874033235192, 1.2040319385865866e-49, 5.4894978377242962e-46, 1}},
	{PURCHASE_BG_NBD, "alpha 1000000", {0.25, 1000000, 0.8, 2.4}, 170, 0.000999999, 0.001, 39,
	{-1650.650343899697, 0.99535423925667749, 0.006608801367718194, 0.99341311696695048}},
	{PURCHASE_BG_NBD, "ab below 1", {0.3, 5, 0.2, 0.3}, 5000, 0.001, 1000, 0.001,
	{29523.542773685337, 0, 0, 1}},
	{PURCHASE_BG_NBD, "a small b big", {0.5, 5, 0.01, 200}, 1000, 1000000, 1000000, 0.001,
	{-7913.5347157678737, 0.99999165978599011, 0.0000010004866531784423, 0.99999899951384781}},
	{PURCHASE_BG_NBD, "huge", {1000, 10000, 1000, 10000}, 171, 999.999, 1000, 0.001,
	{-507.65091742033352, 0.91046580766452508, 0.000096922761496822913, 0.9999030819394741}},
	{PURCHASE_BG_NBD, "tiny", {0.001, 0.001, 0.001, 0.001}, 7, 39, 39, 1,
	{-26.677165483860841, 0.99983338887037654, 0.17947570538977863, 0.83760120851881304}},
	{PURCHASE_BG_NBD, "a below 1", {0.5, 10, 0.999999999, 2.5}, 1000, 999999, 1000000, 39,
	{-7919.1681771599125, 0.99900149626866882, 0.038979390511450952, 0.96177127185966596}},
	{PURCHASE_MBG_NBD, "cdnow", {0.2425945, 4.4136019, 0.7929199, 2.4258881}, 5000, 39, 39, 39,
	{18722.870623938466, 0.99984151804459718, 3427.3729190214482, 0.00015848195540281875}},
	{PURCHASE_MBG_NBD, "a is 1", {0.5, 10, 1, 2.5}, 300, 0.001, 1000, 10000,
	{710.16442854643126, 0, 0, 1}},
	{PURCHASE_MBG_NBD, "alpha 1000000", {0.25, 1000000, 0.8, 2.4}, 1, 1e-9, 0.001, 39,
	{-15.489486992547851, 0.80952380933106595, 0.000039464019284764651, 0.99996053744575695}},
	{PURCHASE_MBG_NBD, "small", {0.01, 0.1, 0.01, 0.05}, 1, 0.001, 0.001, 0.001,
	{-2.4949564839497001, 0.99056603773584906, 0.0099051834617380503, 0.99019193631434519}},
	{PURCHASE_MBG_NBD, "a near 1", {0.5, 10, 1.000000001, 2.5}, 5000, 1e-9, 0.001, 1,
	{26065.285759679905, 0.99967052105291332, 476.40927165773066, 0.0003294789470866788}},
	{PURCHASE_MBG_NBD, "a below 1", {0.5, 10, 0.999999999, 2.5}, 7, 19.5, 39, 0.001,
	{-20.764309812865486, 0.17444686075199109, 0.000026700848733930302, 0.99997330126564265}},
	{PURCHASE_MBG_NBD, "tiny", {0.001, 0.001, 0.001, 0.001}, 170, 1000, 1000, 39,
	{-480.49601995260718, 0.99999411771626216, 6.6298657365383152, 0.0015032915503008657}},
	{PURCHASE_MBG_NBD, "huge", {1000, 10000, 1000, 10000}, 170, 0.5, 1, 39,
	{-394.00874065000466, 0.90559059265998375, 3.3916651936400373, 0.10394390529171765}},
	{PURCHASE_PARETO_NBD, "cdnow", {0.55315, 10.57633, 0.60625, 11.6715}, 5000, 39, 39, 39,
	{18067.550819397004, 1, 3271.1498903046949, 0.00011860272903276809}},
	{PURCHASE_PARETO_NBD, "s is 1", {0.5, 10, 1, 12}, 0, 0, 1000000, 39,
	{-0.44307324751231312, 5.910144911916868e-8, 1.1524442609091046e-12, 0.99999999999884759}},
	{PURCHASE_PARETO_NBD, "alpha near beta", {0.55, 11, 0.6, 11.0000000001}, 5000, 39, 39, 39,
	{18024.97444230135, 1, 3243.0129947285155, 0.00011997240634630043}},
	{PURCHASE_PARETO_NBD, "alpha eq beta", {0.55, 11, 0.6, 11}, 50, 500000, 1000000, 1,
	{-526.6631689853044, 3.4139288146880468e-14, 1.725721515171807e-18, 1}},
	{PURCHASE_PARETO_NBD, "lifetimes test", {10.465, 0.00798565181, 3.0516, 2.82}, 0, 0, 39, 39,
	{-7.0001342024702259, 7.2868650670741228e-40, 2.9536065910691259e-39, 1}},
	{PURCHASE_PARETO_NBD, "beta 1e-6", {0.5, 10, 0.6, 0.000001}, 50, 0.001, 0.001, 0.001,
	{26.667333282987679, 1, 0.0040340854954596461, 0.99597557204669706}},
	{PURCHASE_PARETO_NBD, "huge", {1000, 10000, 1000, 10000}, 2, 1, 1, 39,
	{-4.8043606763222911, 1, 0.98245796321329697, 0.49970725259244477}},
	{PURCHASE_PARETO_NBD, "alpha ll beta", {0.5, 1, 0.6, 1000000}, 50, 19.5, 39, 1,
	{-21.792482034830507, 8.7951689455325044e-9, 1.1103897462696236e-8, 0.99999999373231986}},
	{PURCHASE_PARETO_NBD, "alpha gg beta", {0.5, 1000000, 0.6, 1}, 2, 0.000999999, 0.001, 39,
	{-27.919302890480779, 0.9999999994005994, 0.000021094472469834911, 0.99997890654136673}},
	{PURCHASE_PARETO_NBD, "tiny", {0.001, 0.001, 0.001, 0.001}, 7, 0.5, 1, 1,
	{-0.32899403882968546, 0.98228402102717921, 6.867449202017419, 0.02554548623457336}},
	{PURCHASE_PARETO_NBD, "s near 1", {0.5, 10, 1.000000001, 12}, 0, 0, 0.001, 10000,
	{-0.000049995417053207352, 0.99991667152750927, 4.0355262890590161, 0.64210489377340054}},
	{PURCHASE_PARETO_NBD, "s is 2", {0.5, 10, 2, 12}, 1, 19.5, 39, 0.001,
	{-7.0001641184074865, 0.27991790123171951, 0.0000085687473291746349, 0.99999143147125469}},
	{PURCHASE_PARETO_NBD, "clvtools test", {0.5143, 2.8845, 0.2856, 14.1087}, 2, 999.999, 1000, 39,
	{-18.301514102949535, 0.99999971837293319, 0.09724734174335571, 0.90901777380990506}},
	{PURCHASE_BG_BB, "365 opportunities", {1.2, 0.75, 0.001, 0.1}, 0, 0, 365, 5,
	{-4.4928373583609955, 0.059030076377795075, 0.00096519296516235044, -1}},
	{PURCHASE_BG_BB, "1000 opportunities", {1000, 0.001, 0.001, 0.001}, 499, 999, 1000, 1,
	{-1135.4148604214943, 0.99999599802402186, 0.74949587627556472, -1}},
	{PURCHASE_BG_BB, "6 opportunities", {30, 0.001, 0.001, 1000}, 1, 1, 6, 5,
	{-13.815894416115708, 0.00061748562118434754, 0.0026585368807333277, -1}},
	{PURCHASE_BG_BB, "365 opportunities", {1.2, 0.001, 5, 0.001}, 1, 365, 365, 1,
	{-53.042289676174504, 1, 0.0059264457241260237, -1}},
	{PURCHASE_BG_BB, "1 opportunities", {0.05, 0.001, 1, 50}, 0, 0, 1, 5,
	{-3.2485307486073921, 0.49504950495049505, 0.11129110510367506, -1}},
	{PURCHASE_BG_BB, "52 opportunities", {0.05, 30, 5, 1000}, 0, 0, 52, 5,
	{-0.045589890780014311, 0.77246824876717457, 0.0023205013693026652, -1}},
	{PURCHASE_BG_BB, "52 opportunities", {30, 0.05, 0.001, 50}, 0, 0, 52, 5,
	{-10.818110627627745, 7.0159141214897966e-21, 1.2825795994102328e-20, -1}},
	{PURCHASE_BG_BB, "365 opportunities", {1.2, 0.05, 1, 0.1}, 0, 0, 365, 1,
	{-0.092877364133716565, 1.1773674602502284e-8, 3.8470492437850496e-11, -1}},
};

/* alpha, beta, c, t; ln S(t), S(t) / S(t - 1), ln P(left at t) */
static const double contracts[][2][4] = {
	{{50, 0.668, 1, 100}, {-94.271120436082844, 0.66592725231846487, -94.960942093214212}},
	{{0.668, 50, 2, 1000000}, {-15.846505981335839, 0.99999866400022452, -29.372335296234877}},
	{{3.806, 3.806, 1.5, 12}, {-8.4349049299862596, 0.64508862564342987, -9.0324245328333549}},
	{{3.806, 0.0001, 1, 5000}, {-40.074154039691963, 0.99923922696104492, -47.254568462235576}},
	{{0.668, 0.668, 1, 12}, {-2.1023273209348155, 0.94584954604409857, -4.9626444783857818}},
	{{3.806, 0.0001, 0.5, 5000}, {-23.939238578981009, 0.99962675726008274, -31.832146839294757}},
	{{3.806, 50, 0.5, 1000000}, {-11.488016808935567, 0.99999819003641738, -24.710218831957381}},
	{{100000, 1, 1, 2}, {-22.332733749130514, 0.00001999960000799984, -11.512955464720231}},
	{{0.05, 3.806, 1, 7}, {-0.05642879451923603, 0.99492694805194805, -5.3351555113022685}},
	{{50, 1, 2, 1000000}, {-1233.0732888459294, 0.99990000494984085, -1242.2835787174892}},
	{{0.05, 100000, 1, 2}, {-9.999947500525828e-7, 0.99999950000524994, -14.50866873846897}},
	{{0.0001, 50, 1, 2}, {-0.0000039607803913931072, 0.99999803921953094, -13.1421699654809}},
};

/* p, q, v, x, z; ln L, expected spend */
static const double spend[][2][5] = {
	{{6.25, 1.5, 15.44, 2, 1}, {-23.314349206015186, 8.3846153846153846}},
	{{0.3, 1.0001, 0.001, 2, 10000000}, {-40.350220962736228, 9998333.6115647392}},
	{{50, 3.74, 15.44, 300, 0.01}, {-27200.219400067649, 0.061455440806146077}},
	{{0.001, 1.0001, 100000000, 2, 0.01}, {-1.6541029916504008, 47619047.628571429}},
	{{6.25, 40, 0.001, 300, 10000000}, {-970.0675254222742, 9796238.244517372}},
	{{6.25, 3.74, 100000000, 5000, 1000}, {-95111.183093670843, 20998.158881429276}},
	{{0.001, 0.5, 15.44, 10, 0.01}, {-0.067388741599600807, HUGE_VAL}},
	{{50, 3.74, 0.001, 300, 0.01}, {4.1493907426784524, 0.010001506391499153}},
	{{5000, 5000, 1000, 10, 1000}, {-3.6157691245626495, 1000.0181821487663}},
	{{0.3, 0.5, 1000, 100000, 1}, {-296.23537863273234, 1.0100168336138936}},
};

/* Fader, Hardie and Shang (2010), table 1: x, t_x, 6 years, donors */
static const ModelRow donors[] = {
	{0, 0, 6, 3464}, {1, 1, 6, 1091}, {1, 2, 6, 277}, {1, 3, 6, 129}, {1, 4, 6, 78}, {1, 5, 6, 119},
	{1, 6, 6, 129}, {2, 2, 6, 613}, {2, 3, 6, 255}, {2, 4, 6, 155}, {2, 5, 6, 173}, {2, 6, 6, 234},
	{3, 3, 6, 322}, {3, 4, 6, 181}, {3, 5, 6, 225}, {3, 6, 6, 357}, {4, 4, 6, 240}, {4, 5, 6, 284},
	{4, 6, 6, 512}, {5, 5, 6, 335}, {5, 6, 6, 728}, {6, 6, 6, 1203}
};

/* Fader and Hardie (2007), table 1: of 1000 who took a contract, those still there after so many years */
static const double high_end[] = {1000, 869, 743, 653, 593, 551, 517, 491};
static const double regular[] = {1000, 631, 468, 382, 326, 289, 262, 241};

static void
extreme_values(void)
{
	for (size_t i = 0; i < LENGTH(extremes); i++)
	{
		const PurchaseModel *model = purchase_model(extremes[i].kind);
		double		x = extremes[i].x;
		double		t_x = extremes[i].t_x;
		double		age = extremes[i].age;
		const double *want = extremes[i].expected;
		ModelRow	row = {x, t_x, age, 1};
		Predictor	p = {.model = model};
		double		expected;

		memcpy(p.params, extremes[i].params, sizeof(p.params));
		tap_near(model->log_likelihood(p.params, &row, 1, NULL, NULL), want[0], 1e-11, "%s, %s, %d: likelihood",
				 model->name, extremes[i].name, (int) i);
		tap_near(model->alive(&p, x, t_x, age, 0), want[1], 1e-10, "%s, %s, %d: alive",
				 model->name, extremes[i].name, (int) i);
		model->expected(&p, x, t_x, age, &extremes[i].t, 1, &expected);
		tap_near(expected, want[2], 1e-10, "%s, %s, %d: expected", model->name, extremes[i].name, (int) i);
		if (want[3] >= 0)
			tap_near(model->no_purchase(&p, x, t_x, age, extremes[i].t), want[3], 1e-10, "%s, %s, %d: no purchase",
					 model->name, extremes[i].name, (int) i);
	}
}

static void
contract_values(void)
{
	Predictor	sbg = {.model = &sbg_model, .params = {0.668088351106446219, 3.80609496405826693}};
	static const double derl[][3] = {
		{0, 0.1, 5.92225349578327557}, {1, 0.1, 5.41447884536160313}, {2, 0.1, 5.90137759380513332},
	{3, 0.1, 6.293891569412114}, {5, 0.1, 6.89670668142950649}, {7, 0.15, 5.559862729236744}};

	for (size_t i = 0; i < LENGTH(contracts); i++)
	{
		const double *arg = contracts[i][0];
		const double *want = contracts[i][1];
		Predictor	p = {.model = arg[2] == 1 ? &sbg_model : &bdw_model, .params = {arg[0], arg[1], arg[2]}};
		ModelRow	row = {0, arg[3] - 1, arg[3], 1};

		tap_near(p.model->log_survival(&p, arg[3]), want[0], 1e-12, "contract %d: survival", (int) i);
		tap_near(p.model->retention(&p, arg[3]), want[1], 1e-12, "contract %d: retention", (int) i);
		tap_near(p.model->log_likelihood(p.params, &row, 1, NULL, NULL), want[2], 1e-11, "contract %d: left", (int) i);
	}
	/* Fader and Hardie (2010), equation 6, in whole years */
	for (size_t i = 0; i < LENGTH(derl); i++)
		tap_near(sbg_model.lifetime(&sbg, derl[i][0], log1p(derl[i][1])), derl[i][2], 1e-11,
				 "discounted lifetime before renewal %g at %g", derl[i][0], derl[i][1]);
	tap_near(sbg_model.lifetime(&sbg, 0, 0), HUGE_VAL, 0, "a lifetime without discount is infinite, alpha < 1");
}

static void
spend_values(void)
{
	for (size_t i = 0; i < LENGTH(spend); i++)
	{
		const double *arg = spend[i][0];
		const double *want = spend[i][1];
		SpendRow	row = {arg[3], arg[4], 1};

		tap_near(gamma_gamma_model.log_likelihood(arg, &row, 1, NULL, NULL), want[0], 1e-11, "spend %d: likelihood", (int) i);
		tap_near(gamma_gamma_model.expected(arg, arg[3], arg[4]), want[1], 1e-12, "spend %d: expected", (int) i);
	}
	tap_near(gamma_gamma_model.expected((double[]) {6.25, 3.74, 15.44}, 0, 0), 6.25 * 15.44 / 2.74, 1e-15,
			 "the population's mean: Fader and Hardie (2013), p v / (q - 1)");
	tap_near(gamma_gamma_model.expected((double[]) {6.25, 0.9, 15.44}, 0, 0), HUGE_VAL, 0, "a mean that is infinite");
}

/* ---------- fits ---------- */

typedef double (*LikelihoodOf) (const double *params, const void *rows, size_t n, const void *model);

static double
purchases_likelihood(const double *params, const void *rows, size_t n, const void *model)
{
	return ((const PurchaseModel *) model)->log_likelihood(params, rows, n, NULL, NULL);
}

static double
spend_likelihood(const double *params, const void *rows, size_t n, const void *model)
{
	(void) model;
	return gamma_gamma_model.log_likelihood(params, rows, n, NULL, NULL);
}

/*
 * What a maximum is: nowhere near is the likelihood higher, and the covariance is the
 * inverse of minus its second differences.
 */
static void
check_top(const char *name, const FitResult *fit, LikelihoodOf likelihood, const void *rows, size_t n,
		  const void *model)
{
	int			k = fit->nparams;
	double		top = likelihood(fit->params, rows, n, model);
	double		information[MODEL_PARAMS_MAX * MODEL_PARAMS_MAX];
	double		lower[MODEL_PARAMS_MAX * MODEL_PARAMS_MAX];
	double		inverse[MODEL_PARAMS_MAX * MODEL_PARAMS_MAX];
	double		worst = 0;
	int			higher = 0;

	tap_ok(fit->converged && fit->reason == FIT_CONVERGED, "%s: converged after %d steps", name, fit->iterations);
	tap_near(fit->log_likelihood, top, 1e-14, "%s: the likelihood is that of the parameters", name);
	for (int i = 0; i < k; i++)
		for (int j = 0; j < k; j++)
		{
			double		sum = 0;
			double		se_i = sqrt(fit->covariance[i * k + i]);
			double		se_j = sqrt(fit->covariance[j * k + j]);

			for (int corner = 0; corner < 4; corner++)
			{
				double		params[MODEL_PARAMS_MAX];
				double		value;

				memcpy(params, fit->params, sizeof(params));
				params[i] += (corner & 1 ? 0.003 : -0.003) * se_i;
				params[j] += (corner & 2 ? 0.003 : -0.003) * se_j;
				value = likelihood(params, rows, n, model);
				higher += value > top + 1e-11 * fabs(top);
				sum += (corner == 0 || corner == 3 ? 1 : -1) * value;
			}
			/* in units of standard errors, so that all are of a size */
			information[i * k + j] = -sum / 3.6e-5;
		}
	tap_is(higher, 0, "%s: it is higher nowhere near", name);
	if (!tap_ok(cholesky(k, information, lower), "%s: the information is positive definite", name))
		return;
	small_cholesky_inverse(k, lower, inverse);
	for (int i = 0; i < k; i++)
		worst = fmax(worst, fabs(inverse[i * k + i] - 1));
	tap_ok(worst < 2e-3, "%s: standard errors by second differences: %.1e", name, worst);
}

static void
published_fits(void)
{
	static const double of_donors[4][2] = {
		{1.20352235160191393, 0.06939136239}, {0.749716358172938893, 0.02944771666},
	{0.656718208441832434, 0.05100985896}, {2.78344223257738075, 0.320819003}};
	static const struct
	{
		const char *name;
		const PurchaseModel *model;
		const double *survivors;
		double		params[3];
		double		log_likelihood;
		double		printed[2];
	}			segments[] = {
		{"high end, sbg", &sbg_model, high_end, {0.668088351106446219, 3.80609496405826693}, -1611.15814739115644,
		{0.668, 3.806}},
		{"regular, sbg", &sbg_model, regular, {0.704077298473516208, 1.18204302620947568}, -1680.26518846328699,
		{0.704, 1.182}},
		{"high end, bdw", &bdw_model, high_end, {0.214253339280849964, 1.42657487486008418, 1.7235648487445279},
		-1605.3142132141932, {0}},
		{"regular, bdw", &bdw_model, regular, {0.455613989371638122, 0.779325508387955916, 1.2834512857832903},
		-1679.60283290717829, {0}},
	};
	FitResult	fit;

	model_fit(&bg_bb_model, donors, LENGTH(donors), NULL, poll_nothing, &fit);
	check_top("donors", &fit, purchases_likelihood, donors, LENGTH(donors), &bg_bb_model);
	tap_near(fit.log_likelihood, -33225.5812743470068, 1e-13, "donors: the likelihood");
	for (int i = 0; i < 4; i++)
	{
		tap_near(fit.params[i], of_donors[i][0], 1e-8, "donors: %s", bg_bb_model.param_names[i]);
		tap_near(sqrt(fit.covariance[i * 5]), of_donors[i][1], 1e-5, "donors: its standard error");
	}
	tap_ok(fabs(fit.params[0] - 1.204) < 6e-4 && fabs(fit.params[1] - 0.750) < 6e-4 &&
		   fabs(fit.params[2] - 0.657) < 6e-4 && fabs(fit.params[3] - 2.783) < 6e-4, "donors: as published");
	for (size_t s = 0; s < LENGTH(segments); s++)
	{
		ModelRow	rows[8];

		for (int i = 0; i < 8; i++)
			rows[i] = (ModelRow) {0, i, 7, segments[s].survivors[i] - (i < 7 ? segments[s].survivors[i + 1] : 0)};
		model_fit(segments[s].model, rows, 8, NULL, NULL, &fit);
		check_top(segments[s].name, &fit, purchases_likelihood, rows, 8, segments[s].model);
		tap_near(fit.log_likelihood, segments[s].log_likelihood, 1e-13, "%s: the likelihood", segments[s].name);
		for (int i = 0; i < fit.nparams; i++)
			tap_near(fit.params[i], segments[s].params[i], 1e-7, "%s: %s", segments[s].name,
					 segments[s].model->param_names[i]);
		if (segments[s].printed[0] > 0)
			tap_ok(fabs(fit.params[0] - segments[s].printed[0]) < 6e-4 &&
				   fabs(fit.params[1] - segments[s].printed[1]) < 6e-4, "%s: as published", segments[s].name);
	}
}

/* Marsaglia and Tsang (2000); shape >= 1, or one more and a power */
static double
random_gamma(uint64_t *seed, double shape)
{
	double		d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;

	for (;;)
	{
		double		z = sqrt(-2 * log(random_uniform(seed))) * cos(2 * M_PI * random_uniform(seed));
		double		v = 1 + z / sqrt(9 * d);

		if (v > 0 && log(random_uniform(seed)) < z * z / 2 + d - d * v * v * v + 3 * d * log(v))
			return d * v * v * v * (shape < 1 ? pow(random_uniform(seed), 1 / shape) : 1);
	}
}

static int
compare_rows(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	for (int i = 0; i < 3; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

#define CUSTOMERS 4000

/* A customer by the model's story: seen between 20 and 52 weeks. */
static ModelRow
live(const PurchaseModel *model, const double *params, uint64_t *seed)
{
	double		rate = random_gamma(seed, params[0]) / params[1];
	double		age = 20 + 32 * random_uniform(seed);
	double		end = HUGE_VAL;
	double		p = 0;
	ModelRow	row = {0, 0, age, 1};

	if (model->kind == PURCHASE_PARETO_NBD)
		end = -log(random_uniform(seed)) / (random_gamma(seed, params[2]) / params[3]);
	else if (model->kind != PURCHASE_NBD)
	{
		double		a = random_gamma(seed, params[2]);

		p = a / (a + random_gamma(seed, params[3]));
	}
	if (model->kind == PURCHASE_MBG_NBD && random_uniform(seed) < p)
		return row;
	for (double t = -log(random_uniform(seed)) / rate; t < fmin(age, end); t -= log(random_uniform(seed)) / rate)
	{
		row.x++;
		row.t_x = t;
		if (random_uniform(seed) < p)
			break;
	}
	return row;
}

static void
recovery(void)
{
	static const struct
	{
		const PurchaseModel *model;
		double		params[MODEL_PARAMS_MAX];
	}			worlds[] = {
		{&bg_nbd_model, {0.8, 4.4, 0.8, 2.4}},
		{&mbg_nbd_model, {1.1, 6, 0.7, 3.5}},
		{&pareto_nbd_model, {0.8, 6, 0.9, 12}},
		{&nbd_model, {0.7, 9}},
	};
	static ModelRow rows[CUSTOMERS];
	static ModelRow scratch[CUSTOMERS];
	uint64_t	seed = 47;

	for (size_t w = 0; w < LENGTH(worlds); w++)
	{
		const PurchaseModel *model = worlds[w].model;
		FitResult	fit;
		FitResult	again;

		for (int i = 0; i < CUSTOMERS; i++)
			rows[i] = live(model, worlds[w].params, &seed);
		qsort(rows, CUSTOMERS, sizeof(ModelRow), compare_rows);
		model_fit(model, rows, CUSTOMERS, NULL, poll_nothing, &fit);
		check_top(model->name, &fit, purchases_likelihood, rows, CUSTOMERS, model);
		for (int i = 0; i < fit.nparams; i++)
		{
			double		se = sqrt(fit.covariance[i * fit.nparams + i]);

			tap_ok(fabs(fit.params[i] - worlds[w].params[i]) < 4 * se, "%s: %s is %.3f +- %.3f, of %g", model->name,
				   model->param_names[i], fit.params[i], se, worlds[w].params[i]);
		}
		model_fit(model, rows, CUSTOMERS, NULL, NULL, &again);
		tap_ok(memcmp(again.params, fit.params, sizeof(double) * fit.nparams) == 0, "%s: the same bits again",
			   model->name);
		model_fit(model, rows, CUSTOMERS, scratch, NULL, &again);
		tap_near(again.log_likelihood, fit.log_likelihood, 1e-12, "%s: the same top with room for samples",
				 model->name);
	}
}

static void
spend_top(void)
{
	static SpendRow rows[CUSTOMERS];
	static const double truth[SPEND_PARAMS] = {6.25, 3.74, 15.44};
	uint64_t	seed = 53;
	FitResult	fit;

	for (int i = 0; i < CUSTOMERS; i++)
	{
		double		rate = random_gamma(&seed, truth[1]) / truth[2];

		rows[i].x = 1 + random_below(&seed, 9);
		rows[i].z = random_gamma(&seed, truth[0] * rows[i].x) / (rate * rows[i].x);
		rows[i].count = 1;
	}
	qsort(rows, CUSTOMERS, sizeof(SpendRow), compare_rows);
	spend_fit(&gamma_gamma_model, rows, CUSTOMERS, NULL, NULL, &fit);
	check_top("spend", &fit, spend_likelihood, rows, CUSTOMERS, NULL);
	for (int i = 0; i < SPEND_PARAMS; i++)
		tap_ok(fabs(fit.params[i] - truth[i]) < 4 * sqrt(fit.covariance[i * 4]), "spend: %s is %.3f, of %g",
			   gamma_gamma_model.param_names[i], fit.params[i], truth[i]);
}

/* Data without a maximum: said, and why. */
static void
no_maximum(void)
{
	ModelRow	nobody_back[] = {{0, 0, 20, 50}, {0, 0, 30, 50}};
	ModelRow	like_clockwork[] = {{10, 50, 52, 1000}};
	ModelRow	all_stay[] = {{0, 5, 5, 100}};
	FitResult	fit;

	for (int kind = 1; kind <= PURCHASE_KIND_LAST; kind++)
	{
		const PurchaseModel *model = purchase_model(kind);

		model_fit(model, nobody_back, 0, NULL, NULL, &fit);
		tap_ok(!fit.converged && fit.reason == FIT_NO_CUSTOMERS, "%s: no customers", model->name);
		if (model->contract)
			model_fit(model, all_stay, 1, NULL, NULL, &fit);
		else
		{
			model_fit(model, nobody_back, 2, NULL, NULL, &fit);
			tap_ok(!fit.converged && fit.reason == FIT_NO_REPEATS, "%s: nobody came back", model->name);
			model_fit(model, like_clockwork, 1, NULL, NULL, &fit);
		}
		tap_ok(!fit.converged && fit.reason >= FIT_TO_ZERO && fit.reason <= FIT_STOPPED,
			   "%s: all alike: no maximum (%d)", model->name, fit.reason);
		for (int i = 0; i < fit.nparams; i++)
			if (!(fit.params[i] > 0 && isfinite(fit.params[i])))
				tap_ok(false, "%s: %s is %g", model->name, model->param_names[i], fit.params[i]);
	}
}

int
main(void)
{
	extreme_values();
	contract_values();
	spend_values();
	published_fits();
	recovery();
	spend_top();
	no_maximum();
	return tap_done();
}
