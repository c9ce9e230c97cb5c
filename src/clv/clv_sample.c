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

#define FIRST_ROWS		8
#define FIRST_SPENDS	4

typedef struct Spend
{
	double		x;
	double		z;
} Spend;

StaticAssertDecl(offsetof(ClvSample, data) % sizeof(double) == 0, "doubles of a sample are not aligned");

typedef struct RowKey
{
	double		x;
	double		t_x;
	double		age;
} RowKey;

static inline RowKey
row_key(const ModelRow *row)
{
	RowKey		key = {row->x, row->t_x, row->age};

	return key;
}

/* a state of type bytea may have been made by hand */
#define FLAT_PREFIX			rows
#define FLAT_ENTRY			ModelRow
#define FLAT_KEY			RowKey
#define FLAT_HASH(key)		clv_hash((key).x, (key).t_x, (key).age)
#define FLAT_KEY_OF(row)	row_key(row)
#define FLAT_IS(row, key)	\
	((row)->x == (key).x && (row)->t_x == (key).t_x && (row)->age == (key).age)
#define FLAT_IS_FREE(row)	((row)->count == 0)
#define FLAT_FOREIGN
#include "value/flat_hash.h"

static inline ModelRow *
rows_of(const ClvSample *sample)
{
	return (ModelRow *) sample->data;
}

static inline Spend *
spends_of(const ClvSample *sample)
{
	return (Spend *) (rows_of(sample) + sample->hash.capacity);
}

static inline Size
size_of(uint64 rows, uint64 spends)
{
	return offsetof(ClvSample, data) + rows * sizeof(ModelRow) + spends * sizeof(Spend);
}

/* Can it be walked? */
static inline bool
is_sound(const ClvSample *sample)
{
	return VARATT_IS_4B_U(sample) && VARSIZE(sample) >= offsetof(ClvSample, data) &&
		sample->magic == CLV_SAMPLE_MAGIC &&
		(sample->spec.spend | sample->spec.days | sample->spec.first_days |
		 sample->has_as_of | sample->as_of_varies | sample->has_latest) <= 1 &&
		flat_hash_is_sound(&sample->hash, sizeof(ModelRow), VARSIZE(sample)) &&
		sample->spends_used <= sample->spends &&
		VARSIZE(sample) == size_of(sample->hash.capacity, sample->spends);
}

static void
clv_sample_corrupt(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("state of clv_model is corrupt: wrong %s", what)));
}

static ClvSample *
clv_sample_allocate(uint64 rows, uint64 spends)
{
	ClvSample  *sample;

	if (rows > MaxAllocSize || spends > MaxAllocSize || size_of(rows, spends) > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many different customers for one clv_model"),
				 errhint("Fit groups of customers, or a random sample of them: some millions give the same parameters.")));
	sample = palloc(size_of(rows, spends));
	/* all of it: what is not used yet must not tell what was there before */
	memset(sample, 0, size_of(rows, spends));
	SET_VARSIZE(sample, size_of(rows, spends));
	sample->magic = CLV_SAMPLE_MAGIC;
	flat_hash_init(&sample->hash, (uint32) rows);
	sample->spends = spends;
	return sample;
}

ClvSample *
clv_sample_create(const ClvSpec *spec)
{
	ClvSample  *sample = clv_sample_allocate(FIRST_ROWS, FIRST_SPENDS);

	sample->spec = *spec;
	return sample;
}

static inline ModelRow *
find_row(const ClvSample *sample, RowKey key)
{
	ModelRow   *row = rows_find(&sample->hash, rows_of(sample), key);

	if (unlikely(row == NULL))
		clv_sample_corrupt("customers");
	return row;
}

/* A copy with more room. */
static ClvSample *
clv_sample_enlarge(const ClvSample *sample, uint64 rows, uint64 spends)
{
	ClvSample  *larger = clv_sample_allocate(rows, spends);
	Size		header = offsetof(ClvSample, hash);

	memcpy((char *) larger + sizeof(int32), (const char *) sample + sizeof(int32),
		   header - sizeof(int32));
	larger->spends_used = sample->spends_used;
	memcpy(spends_of(larger), spends_of(sample), sample->spends_used * sizeof(Spend));
	rows_rehash(&larger->hash, rows_of(larger), &sample->hash, rows_of(sample));
	return larger;
}

static ClvSample *
add_rows(ClvSample *sample, double x, double t_x, double age, double count)
{
	RowKey		key = {x, t_x, age};
	ModelRow   *row = find_row(sample, key);

	if (row->count == 0)
	{
		if (unlikely(!flat_hash_has_room(&sample->hash, 1)))
		{
			sample = clv_sample_enlarge(sample, flat_hash_grown(&sample->hash, 1), sample->spends);
			row = find_row(sample, key);
		}
		row->x = x;
		row->t_x = t_x;
		row->age = age;
		sample->hash.used++;
	}
	row->count += count;
	return sample;
}

static ClvSample *
add_spend(ClvSample *sample, double x, double z)
{
	Spend	   *spend;

	if (unlikely(sample->spends_used == sample->spends))
		sample = clv_sample_enlarge(sample, sample->hash.capacity, (uint64) sample->spends * 2 + FIRST_SPENDS);
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
	const ModelRow *row;

	if (!is_sound(sample) || !is_sound(more))
		clv_sample_corrupt("size");
	if (memcmp(&sample->spec, &more->spec, sizeof(ClvSpec)) != 0)
		clv_sample_corrupt("parameters");
	seen_merge(&sample->seen, &more->seen);
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
	for (uint32 i = 0; (row = rows_next(&more->hash, rows_of(more), &i)) != NULL;)
		sample = add_rows(sample, row->x, row->t_x, row->age, row->count);
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
	ModelRow   *rows = huge_array(sample->hash.used, sizeof(ModelRow));
	double		unit = sample->spec.days ? time_unit_days[sample->spec.unit] : 1;
	const ModelRow *next;

	*n = 0;
	for (uint32 i = 0; (next = rows_next(&sample->hash, rows_of(sample), &i)) != NULL;)
	{
		ModelRow	row = *next;

		if (sample->spec.first_days)
			row.age = sample->latest - row.age;
		if (!(row.count > 0 && row.x >= 0 && row.t_x >= 0 && row.age >= row.t_x &&
			  isfinite(row.count) && isfinite(row.x) && isfinite(row.age)) ||
			*n >= sample->hash.used)
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
