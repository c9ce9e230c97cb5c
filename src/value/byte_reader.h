/*
 * byte_reader.h
 *	  Reading the bytes of a value: bounds and errors in one place.
 *
 * The first thing that is wrong is remembered; after it nothing is left to
 * read, and whatever is asked for is 0.  So a reader may ask on and look at
 * "error" once it would act on what it got.  "what" names a field for the
 * message: "wrong <what>".
 *
 * Forms: integers are minimal LEB128 (varint.h), signed ones zigzag; doubles
 * IEEE 754, the low byte first, one NaN and one zero; texts a length and UTF-8,
 * whatever the server's encoding; amounts see reader_amount().
 *
 * Promises: never reads past the end; what is accepted has one form only.
 * Never: allocates more than the bytes there can need.
 */
#ifndef RETENTION_BYTE_READER_H
#define RETENTION_BYTE_READER_H

#include "retention.h"
#include "port/pg_bswap.h"
#include "value/amount.h"
#include "value/varint.h"

typedef struct ByteReader
{
	const uint8 *at;
	const uint8 *end;
	const char *error;			/* what is wrong, once something is */
} ByteReader;

/* Labels of a list, as they lie: UTF-8. */
typedef struct LabelList
{
	int			n;
	char	  **labels;
} LabelList;

/*
 * Begins with tag and flags (value_type.h); returns the flags, of which only
 * these may be set.
 */
extern uint8 reader_begin(ByteReader *reader, const char *data, Size len, uint8 version,
						  uint8 flags);

/* Remembers what is wrong, unless something was before. */
extern void reader_fail(ByteReader *reader, const char *what);

/* XX001: a value of our own type cannot be read. */
pg_noreturn extern void reader_corrupt(const ByteReader *reader, const char *type);

static inline size_t
reader_left(const ByteReader *reader)
{
	return reader->end - reader->at;
}

static inline void
reader_require(ByteReader *reader, bool condition, const char *what)
{
	if (unlikely(!condition))
		reader_fail(reader, what);
}

/* Was all of it read, and nothing wrong? */
static inline bool
reader_end(ByteReader *reader)
{
	reader_require(reader, reader->at == reader->end, "length");
	return reader->error == NULL;
}

static inline uint8
reader_byte(ByteReader *reader, uint8 max, const char *what)
{
	if (unlikely(reader->at == reader->end))
		reader_fail(reader, "length");
	else if (unlikely(*reader->at > max))
		reader_fail(reader, what);
	else
		return *reader->at++;
	return 0;
}

static inline uint64
reader_uint(ByteReader *reader, uint64 max, const char *what)
{
	uint64		value;

	if (likely(varint_get(&reader->at, reader->end, &value) && value <= max))
		return value;
	reader_fail(reader, what);
	return 0;
}

static inline int64
reader_int(ByteReader *reader, int64 min, int64 max, const char *what)
{
	int64		value = unzigzag(reader_uint(reader, PG_UINT64_MAX, what));

	if (likely(value >= min && value <= max))
		return value;
	reader_fail(reader, what);
	return 0;
}

/* A signed step from the value before. */
extern int64 reader_step(ByteReader *reader, int64 from, int64 min, int64 max, const char *what);

/* The next of ascending numbers below a bound; "last" is -1 before the first. */
static inline int64
reader_next(ByteReader *reader, int64 last, int64 bound, const char *what)
{
	uint64		step = reader_uint(reader, PG_INT64_MAX / 2, what);

	if (likely((int64) step < bound - last - 1))
		return last + 1 + (int64) step;
	reader_fail(reader, what);
	return 0;
}

/* A number of items that follow, each of which takes so many bytes at least. */
static inline int64
reader_count(ByteReader *reader, int64 max, int least, const char *what)
{
	return (int64) reader_uint(reader, Min((uint64) max, reader_left(reader) / least), what);
}

/* Is it the one NaN, or the one zero? */
extern bool reader_double_is_canonical(double value);

/* NaN stands for what is not known. */
static inline double
reader_double(ByteReader *reader, const char *what)
{
	uint64		bits;
	double		value;

	if (unlikely(reader_left(reader) < sizeof(bits)))
	{
		reader_fail(reader, "length");
		return 0;
	}
	memcpy(&bits, reader->at, sizeof(bits));
	reader->at += sizeof(bits);
#ifdef WORDS_BIGENDIAN
	bits = pg_bswap64(bits);
#endif
	memcpy(&value, &bits, sizeof(value));
	/* written so that NaN is among them */
	if (unlikely(!(value < 0 || value > 0) && !reader_double_is_canonical(value)))
		reader_fail(reader, what);
	return value;
}

/* From min to max; never NaN. */
extern double reader_between(ByteReader *reader, double min, double max, const char *what);

/*
 * A text of that many bytes, in the current context, as it lies: UTF-8.  With
 * "check", whether it is that; else, of a value of our own, only memory is
 * guarded.
 */
extern char *reader_text(ByteReader *reader, int64 least, int64 most, bool check,
						 const char *what);

/*
 * A number of labels and the labels; with "check" they ascend strictly in the
 * order of label_compare(), unless "any_order".
 */
extern LabelList reader_labels(ByteReader *reader, int64 most, int64 least_bytes,
							   int64 most_bytes, bool check, bool any_order);

/*
 * An amount among others of which "scale" is the largest scale:
 *	  s value << 1		in units of 10^-scale
 *	  1					none
 *	  3, scale, s value	a smaller scale
 *	  5, length, bytes	too large for that: as numeric_send makes it
 */
extern Amount reader_amount_slow(ByteReader *reader, uint64 code, int32 scale);

static inline Amount
reader_amount(ByteReader *reader, int32 scale)
{
	uint64		code = reader_uint(reader, PG_UINT64_MAX, "amount");
	int64		value = unzigzag(code >> 1);
	Amount		amount = {value, scale, NULL};

	if (likely((code & 1) == 0 && value < AMOUNT_VALUE_MAX && value > -AMOUNT_VALUE_MAX &&
			   scale <= AMOUNT_SCALE_MAX))
		return amount;
	return reader_amount_slow(reader, code, scale);
}

/* Past an amount of a value of our own, of which only the length is looked at. */
extern void reader_skip_amount(ByteReader *reader);

#define AMOUNT_CODE_NONE	1
#define AMOUNT_CODE_SCALED	3
#define AMOUNT_CODE_BIG		5
#define AMOUNT_SCALE_LAST	16383	/* NUMERIC_DSCALE_MAX */

#endif							/* RETENTION_BYTE_READER_H */
