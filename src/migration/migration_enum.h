/*
 * migration_enum.h
 *	  Segments of an enum type: its labels are a declared list of states.
 *
 * Ownership: a list lives in the context in which it was read, with its labels.
 * Never: sees labels that are added to the type afterwards.
 */
#ifndef RETENTION_MIGRATION_ENUM_H
#define RETENTION_MIGRATION_ENUM_H

#include "migration/migration.h"

typedef struct EnumLabel
{
	Oid			oid;
	float4		order;
	int			number;			/* where it stands in the type's order */
	int			len;
	char	   *label;
} EnumLabel;

typedef struct EnumList
{
	int			n;
	char	  **in_order;
	EnumLabel	labels[FLEXIBLE_ARRAY_MEMBER];	/* by OID */
} EnumList;

/* All labels of a type, or of the type that a domain is over. */
extern EnumList *migration_enum_read(Oid type);

/* As states: 54000 for too many, 22023 for one that cannot be a state. */
extern void migration_enum_check(const EnumList *list);

extern const EnumLabel *migration_enum_label(const EnumList *list, Oid value);

#endif							/* RETENTION_MIGRATION_ENUM_H */
