/*
 * purchase_models.c
 *	  Which models of purchases there are.
 */
#include "models/purchase/purchase_model.h"

const PurchaseModel *
purchase_model(int kind)
{
	switch (kind)
	{
		case PURCHASE_BG_NBD:
			return &bg_nbd_model;
		case PURCHASE_MBG_NBD:
			return &mbg_nbd_model;
		case PURCHASE_PARETO_NBD:
			return &pareto_nbd_model;
		case PURCHASE_NBD:
			return &nbd_model;
		case PURCHASE_BG_BB:
			return &bg_bb_model;
		case PURCHASE_SBG:
			return &sbg_model;
		case PURCHASE_BDW:
			return &bdw_model;
	}
	return NULL;
}
