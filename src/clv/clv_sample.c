/*
 * clv_sample.c
 *	  Customers on their way into a fit: collapsed, flat, mergeable.
 *
 * Promises: see clv_sample.h.  A state that comes from elsewhere is checked
 * before it is walked, its numbers before they are fitted.
 * Never: a sum whose order depends on the order of rows: rows are sorted first.
 */
#include "clv/clv_sample.h"

#include <math.h>

#include "common/hashfn.h"
#include "fmgr/interrupts.h"
#include "miscadmin.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define FIRST_SLOTS		8
#define FIRST_SPENDS	4
#define SLOT_DOUBLES	(sizeof(ModelRow) / sizeof(double))

typedef struct Spend
{
	double		x;
	double		z;
} Spend;

#define SPEND_DOUBLES	(sizeof(Spend) / sizeof(double))

StaticAssertDecl(offsetof(ClvSample, data) % sizeof(double) == 0, "doubles of a sample are not aligned");

static inline ModelRow *
clv_sample_slots_of(const ClvSample *sample)
{
	return (ModelRow *) sample->data;
}

static inline Spend *
spends_of(const ClvSample *sample)
{
	return (Spend *) (sample->data + (Size) sample->slots * SLOT_DOUBLES);
}

static inline Size
size_of(uint64 slots, uint64 spends)
{
	return offsetof(ClvSample, data) + slots * sizeof(ModelRow) + spends * sizeof(Spend);
}

/* Can it be walked? */
static inline bool
is_sound(const ClvSample *sample)
{
	return VARATT_IS_4B_U(sample) && VARSIZE(sample) >= offsetof(ClvSample, data) &&
		sample->magic == CLV_SAMPLE_MAGIC &&
		(sample->spec.spend | sample->spec.days | sample->spec.first_days |
		 sample->has_as_of | sample->as_of_varies | sample->has_latest) <= 1 &&
		sample->slots >= FIRST_SLOTS && (sample->slots & (sample->slots - 1)) == 0 &&
		sample->slots_used < sample->slots && sample->spends_used <= sample->spends &&
		VARSIZE(sample) == size_of(sample->slots, sample->spends);
}

static void
clv_sample_corrupt(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("state of clv_model is corrupt: wrong %s", what)));
}

static ClvSample *
clv_sample_allocate(uint64 slots, uint64 spends)
{
	ClvSample  *sample;

	if (slots > MaxAllocSize || spends > MaxAllocSize || size_of(slots, spends) > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many different customers for one clv_model"),
				 errhint("Fit groups of customers, or a random sample of them: some millions give the same parameters.")));
	sample = palloc(size_of(slots, spends));
	/* all of it: what is not used yet must not tell what was there before */
	memset(sample, 0, size_of(slots, spends));
	SET_VARSIZE(sample, size_of(slots, spends));
	sample->magic = CLV_SAMPLE_MAGIC;
	sample->slots = slots;
	sample->spends = spends;
	return sample;
}

ClvSample *
clv_sample_create(const ClvSpec *spec)
{
	ClvSample  *sample = clv_sample_allocate(FIRST_SLOTS, FIRST_SPENDS);

	sample->spec = *spec;
	return sample;
}

static inline ModelRow *
find_slot(const ClvSample *sample, double x, double t_x, double age)
{
	ModelRow   *slots = clv_sample_slots_of(sample);
	uint32		i = (clv_hash(x, t_x, age) >> 32) & (sample->slots - 1);

	/* one slot is free, or somebody made the state by hand */
	for (uint32 probes = 0; probes < sample->slots; probes++)
	{
		if (slots[i].count == 0 ||
			(slots[i].x == x && slots[i].t_x == t_x && slots[i].age == age))
			return &slots[i];
		i = (i + 1) & (sample->slots - 1);
	}
	clv_sample_corrupt("customers");
	return NULL;
}

/* A copy with more room. */
static ClvSample *
clv_sample_enlarge(const ClvSample *sample, uint64 slots, uint64 spends)
{
	ClvSample  *larger = clv_sample_allocate(slots, spends);
	Size		header = offsetof(ClvSample, slots_used);

	memcpy((char *) larger + sizeof(int32), (const char *) sample + sizeof(int32),
		   header - sizeof(int32));
	larger->slots_used = sample->slots_used;
	larger->spends_used = sample->spends_used;
	memcpy(spends_of(larger), spends_of(sample), sample->spends_used * sizeof(Spend));
	if (slots == sample->slots)
	{
		memcpy(clv_sample_slots_of(larger), clv_sample_slots_of(sample), slots * sizeof(ModelRow));
		return larger;
	}
	for (uint32 i = 0; i < sample->slots; i++)
	{
		const ModelRow *row = &clv_sample_slots_of(sample)[i];

		if (row->count != 0)
			*find_slot(larger, row->x, row->t_x, row->age) = *row;
	}
	return larger;
}

static ClvSample *
add_rows(ClvSample *sample, double x, double t_x, double age, double count)
{
	ModelRow   *slot = find_slot(sample, x, t_x, age);

	if (slot->count == 0)
	{
		/* at most three quarters full */
		if (unlikely((sample->slots_used + 1) / 3 >= sample->slots / 4))
		{
			sample = clv_sample_enlarge(sample, (uint64) sample->slots * 2, sample->spends);
			slot = find_slot(sample, x, t_x, age);
		}
		slot->x = x;
		slot->t_x = t_x;
		slot->age = age;
		sample->slots_used++;
	}
	slot->count += count;
	return sample;
}

static ClvSample *
add_spend(ClvSample *sample, double x, double z)
{
	Spend	   *spend;

	if (unlikely(sample->spends_used == sample->spends))
		sample = clv_sample_enlarge(sample, sample->slots, (uint64) sample->spends * 2 + FIRST_SPENDS);
	spend = &spends_of(sample)[sample->spends_used++];
	spend->x = x;
	spend->z = z;
	return sample;
}

ClvSample *
clv_sample_add(ClvSample *sample, double x, double t_x, double age, double spend_x, double z)
{
	if (unlikely(!is_sound(sample)))
		clv_sample_corrupt("size");
	/* no negative zeros: they would be customers of their own */
	sample = add_rows(sample, x + 0.0, t_x + 0.0, age + 0.0, 1);
	if (!sample->spec.spend || x == 0)
		return sample;
	if (spend_x == 0)
		sample->unpaid++;
	else if (z > 0)
		sample = add_spend(sample, spend_x, z);
	else
		sample->left_out++;
	return sample;
}

ClvSample *
clv_sample_merge(ClvSample *sample, const ClvSample *more)
{
	if (!is_sound(sample) || !is_sound(more))
		clv_sample_corrupt("size");
	if (memcmp(&sample->spec, &more->spec, sizeof(ClvSpec)) != 0)
		clv_sample_corrupt("parameters");
	if (more->has_as_of)
	{
		sample->as_of_varies |= more->as_of_varies ||
			(sample->has_as_of && sample->as_of != more->as_of);
		sample->as_of = more->as_of;
		sample->has_as_of = true;
	}
	if (more->has_latest)
	{
		sample->latest = sample->has_latest ? Max(sample->latest, more->latest) : more->latest;
		sample->has_latest = true;
	}
	sample->skipped += more->skipped;
	sample->left_out += more->left_out;
	sample->unpaid += more->unpaid;
	for (uint32 i = 0; i < more->slots; i++)
	{
		const ModelRow *row = &clv_sample_slots_of(more)[i];

		if (row->count != 0)
			sample = add_rows(sample, row->x, row->t_x, row->age, row->count);
	}
	for (uint32 i = 0; i < more->spends_used; i++)
		sample = add_spend(sample, spends_of(more)[i].x, spends_of(more)[i].z);
	return sample;
}

/* ---------- the fit ---------- */

static inline int
compare_doubles(double a, double b)
{
	return a < b ? -1 : a > b;
}

static inline int
clv_sample_compare_rows(const ModelRow *a, const ModelRow *b)
{
	int			order = compare_doubles(a->x, b->x);

	if (order == 0)
		order = compare_doubles(a->t_x, b->t_x);
	return order != 0 ? order : compare_doubles(a->age, b->age);
}

static inline int
compare_spends(const SpendRow *a, const SpendRow *b)
{
	int			order = compare_doubles(a->x, b->x);

	return order != 0 ? order : compare_doubles(a->z, b->z);
}

#define ST_SORT sort_rows
#define ST_ELEMENT_TYPE ModelRow
#define ST_COMPARE(a, b) clv_sample_compare_rows(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_spends
#define ST_ELEMENT_TYPE SpendRow
#define ST_COMPARE(a, b) compare_spends(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static void *
huge_array(Size n, Size size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * size);
}

/* The customers, in the model's unit, ascending. */
static ModelRow *
collect_rows(const ClvSample *sample, size_t *n)
{
	ModelRow   *rows = huge_array(sample->slots_used, sizeof(ModelRow));
	double		unit = sample->spec.days ? time_unit_days[sample->spec.unit] : 1;

	*n = 0;
	for (uint32 i = 0; i < sample->slots; i++)
	{
		ModelRow	row = clv_sample_slots_of(sample)[i];

		if (row.count == 0)
			continue;
		if (sample->spec.first_days)
			row.age = sample->latest - row.age;
		if (!(row.count > 0 && row.x >= 0 && row.t_x >= 0 && row.age >= row.t_x &&
			  isfinite(row.count) && isfinite(row.x) && isfinite(row.age)) ||
			*n >= sample->slots_used)
			clv_sample_corrupt("customer");
		row.t_x /= unit;
		row.age /= unit;
		rows[(*n)++] = row;
	}
	sort_rows(rows, *n);
	return rows;
}

/* Mean spends, ascending, equal ones as one. */
static SpendRow *
collect_spends(const ClvSample *sample, size_t *n)
{
	SpendRow   *rows = huge_array(sample->spends_used, sizeof(SpendRow));
	size_t		last = 0;

	*n = sample->spends_used;
	for (size_t i = 0; i < *n; i++)
	{
		const Spend *spend = &spends_of(sample)[i];

		if (!(spend->x > 0 && spend->z > 0 && isfinite(spend->x) && isfinite(spend->z)))
			clv_sample_corrupt("spend");
		rows[i].x = spend->x;
		rows[i].z = spend->z;
		rows[i].count = 1;
	}
	sort_spends(rows, *n);
	for (size_t i = 1; i < *n; i++)
	{
		if (rows[i].x == rows[last].x && rows[i].z == rows[last].z)
			rows[last].count++;
		else
			rows[++last] = rows[i];
	}
	if (*n > 0)
		*n = last + 1;
	return rows;
}

/* Pearson's correlation of frequency and mean spend; NaN where one is constant. */
static double
spend_correlation(const SpendRow *rows, size_t n)
{
	double		count = 0;
	double		mean_x = 0;
	double		mean_z = 0;
	double		xx = 0;
	double		zz = 0;
	double		xz = 0;

	for (size_t i = 0; i < n; i++)
	{
		count += rows[i].count;
		mean_x += (rows[i].x - mean_x) * (rows[i].count / count);
		mean_z += (rows[i].z - mean_z) * (rows[i].count / count);
	}
	for (size_t i = 0; i < n; i++)
	{
		double		dx = rows[i].x - mean_x;
		double		dz = rows[i].z - mean_z;

		xx += rows[i].count * dx * dx;
		zz += rows[i].count * dz * dz;
		xz += rows[i].count * dx * dz;
	}
	if (!(xx > 0 && zz > 0))
		return get_float8_nan();
	return Max(-1, Min(1, xz / sqrt(xx) / sqrt(zz)));
}

static void
fit_spend(const ClvSample *sample, ClvModel *model)
{
	size_t		n;
	SpendRow   *rows = collect_spends(sample, &n);
	SpendRow   *scratch = huge_array(n, sizeof(SpendRow));

	model->spend_customers = sample->spends_used;
	model->spend_left_out = sample->left_out;
	model->correlation = spend_correlation(rows, n);
	spend_fit(clv_spend_model_of(model), rows, n, scratch, poll_interrupts, &model->spend);
	pfree(rows);
	pfree(scratch);
}

void
clv_sample_fit(const ClvSample *sample, ClvModel *model)
{
	size_t		n;
	ModelRow   *rows;
	ModelRow   *scratch;

	if (!is_sound(sample) || purchase_model(sample->spec.purchase) == NULL ||
		sample->spec.unit > TIME_UNIT_LAST)
		clv_sample_corrupt("size");
	memset(model, 0, sizeof(ClvModel));
	model->purchase = purchase_model(sample->spec.purchase);
	model->unit = (TimeUnit) sample->spec.unit;
	if (sample->spec.first_days)
	{
		model->has_as_of = sample->has_latest;
		model->as_of = sample->latest;
	}
	else
	{
		model->has_as_of = sample->has_as_of && !sample->as_of_varies;
		model->as_of = sample->as_of;
	}
	model->skipped = sample->skipped;
	rows = collect_rows(sample, &n);
	for (size_t i = 0; i < n; i++)
		model->customers += (int64) rows[i].count;
	scratch = huge_array(n, sizeof(ModelRow));
	model_fit(model->purchase, rows, n, scratch, poll_interrupts, &model->fit);
	pfree(rows);
	pfree(scratch);
	model->correlation = get_float8_nan();
	/* histories without any amount are no failure to fit spend */
	model->has_spend = sample->spec.spend &&
		(sample->spends_used > 0 || sample->left_out > 0 || sample->unpaid == 0);
	if (model->has_spend)
		fit_spend(sample, model);
}
