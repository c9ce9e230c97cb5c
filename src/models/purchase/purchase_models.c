/*
 * purchase_models.c
 *	  The models of purchase_models.h, by their numbers.
 */
#include "models/purchase/purchase_model.h"

#define ENTRY(NAME, name, number) [number] = &name##_model,

static const PurchaseModel *const purchase_models[] = {PURCHASE_MODELS(ENTRY)};
static const SpendModel *const spend_models[] = {SPEND_MODELS(ENTRY)};

const PurchaseModel *
purchase_model(int kind)
{
	return kind >= 0 && kind <= PURCHASE_KIND_LAST ? purchase_models[kind] : NULL;
}

const SpendModel *
spend_model(int kind)
{
	return kind >= 0 && kind <= SPEND_KIND_LAST ? spend_models[kind] : NULL;
}
