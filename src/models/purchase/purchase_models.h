/*
 * purchase_models.h
 *	  The tables of models: one line a model of purchases, one a model of spend.
 *
 * MODEL(NAME, name, number) is the constant "<name>_model" of the file <name>.c
 * beside this one, which says all that is to be said of it, and the number by
 * which stored values know it: never changed, never used again.  The numbers
 * ascend.  Whatever lists models (clv_models(), hints, tests) lists these, in
 * their order.
 *
 * README.md says what else a new model needs.
 */
#ifndef RETENTION_PURCHASE_MODELS_H
#define RETENTION_PURCHASE_MODELS_H

#define PURCHASE_MODELS(MODEL) \
	MODEL(BG_NBD, bg_nbd, 1) \
	MODEL(MBG_NBD, mbg_nbd, 2) \
	MODEL(PARETO_NBD, pareto_nbd, 3) \
	MODEL(NBD, nbd, 4) \
	MODEL(BG_BB, bg_bb, 5) \
	MODEL(SBG, sbg, 6) \
	MODEL(BDW, bdw, 7)

#define SPEND_MODELS(MODEL) \
	MODEL(GAMMA_GAMMA, gamma_gamma, 1)

/* Where a call names none. */
#define PURCHASE_DEFAULT	PURCHASE_BG_NBD
#define CONTRACT_DEFAULT	PURCHASE_SBG

#endif							/* RETENTION_PURCHASE_MODELS_H */
