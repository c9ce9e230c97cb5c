/*
 * migration_enum.c
 *	  Segments of an enum type: its labels are a declared list of states.
 *
 * See migration_enum.h.
 */
#include "migration/migration_enum.h"

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static int
compare_orders(const void *a, const void *b)
{
	float4		x = ((const EnumLabel *) a)->order;
	float4		y = ((const EnumLabel *) b)->order;

	return x < y ? -1 : x > y;
}

static int
compare_oids(const void *a, const void *b)
{
	Oid			x = ((const EnumLabel *) a)->oid;
	Oid			y = ((const EnumLabel *) b)->oid;

	return x < y ? -1 : x > y;
}

EnumList *
migration_enum_read(Oid type)
{
	CatCList   *tuples = SearchSysCacheList1(ENUMTYPOIDNAME, ObjectIdGetDatum(getBaseType(type)));
	int			n = tuples->n_members;
	EnumList   *list = palloc(offsetof(EnumList, labels) + sizeof(EnumLabel) * (n + 1));

	list->n = n;
	list->in_order = palloc(sizeof(char *) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		Form_pg_enum form = (Form_pg_enum) GETSTRUCT(&tuples->members[i]->tuple);
		EnumLabel  *label = &list->labels[i];

		label->oid = form->oid;
		label->order = form->enumsortorder;
		label->label = pstrdup(NameStr(form->enumlabel));
		label->len = strlen(label->label);
	}
	ReleaseSysCacheList(tuples);
	qsort(list->labels, n, sizeof(EnumLabel), compare_orders);
	for (int i = 0; i < n; i++)
	{
		list->labels[i].number = i;
		list->in_order[i] = list->labels[i].label;
	}
	qsort(list->labels, n, sizeof(EnumLabel), compare_oids);
	return list;
}

void
migration_enum_check(const EnumList *list)
{
	if (list->n > MIGRATION_STATES_MAX)
		migration_states_error();
	for (int i = 0; i < list->n; i++)
		migration_label_check(list->in_order[i], strlen(list->in_order[i]));
}

const EnumLabel *
migration_enum_label(const EnumList *list, Oid value)
{
	int			low = 0;
	int			high = list->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (list->labels[middle].oid == value)
			return &list->labels[middle];
		if (list->labels[middle].oid < value)
			low = middle + 1;
		else
			high = middle;
	}
	elog(ERROR, "enum value %u is unknown", value);
	return NULL;
}
