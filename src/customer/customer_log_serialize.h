/*
 * customer_log_serialize.h
 *	  Books of customers on their way between parallel workers.
 *
 * An image travels between processes of one server only, so that keys are copied
 * as they are; lengths and bounds are checked all the same, and it is read where
 * it lies.
 *
 * Promises: merging images gives the log that all their rows would have given.
 * Never: stored on disk, or changed by the merge.
 */
#ifndef RETENTION_CUSTOMER_LOG_SERIALIZE_H
#define RETENTION_CUSTOMER_LOG_SERIALIZE_H

#include "customer/customer_log.h"
#include "value/varint.h"

/* A bytea in the making, its length word included. */
typedef struct ImageBuffer
{
	char	   *data;
	Size		len;
	Size		capacity;
	const char *aggregate;		/* for errors */
} ImageBuffer;

extern void image_enlarge(ImageBuffer *buf, Size more);
extern bytea *image_finish(ImageBuffer *buf);

static inline void
image_reserve(ImageBuffer *buf, Size more)
{
	if (unlikely(more > buf->capacity - buf->len))
		image_enlarge(buf, more);
}

static inline void
image_put(ImageBuffer *buf, const void *bytes, Size len)
{
	image_reserve(buf, len);
	memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
}

/* Room was reserved. */
static inline void
image_put_varint(ImageBuffer *buf, uint64 value)
{
	buf->len += varint_put((uint8 *) buf->data + buf->len, value);
}

/* Starts a buffer with room for a header, which is put there at last. */
static inline void
image_begin(ImageBuffer *buf, const char *aggregate, Size header)
{
	buf->data = NULL;
	buf->len = buf->capacity = 0;
	buf->aggregate = aggregate;
	image_enlarge(buf, VARHDRSZ + header + 8 * VARINT_MAX_BYTES);
	buf->len = VARHDRSZ + header;
}

/* Writes a word; there is room for so many varints. */
typedef void (*ImagePutWord) (ImageBuffer *buf, const EventLog *log, uint64 word);

#define IMAGE_WORD_VARINTS 2

/* All customers of a settled log; returns how many there are. */
extern uint64 customer_image_put(ImageBuffer *buf, CustomerLog *customers, ImagePutWord put_word);

typedef struct ImageReader
{
	const uint8 *at;
	const uint8 *end;
	const char *aggregate;
	/* of customers: */
	bool		by_number;
	uint64		customers;
	uint64		(*take_word) (struct ImageReader *reader, EventLog *log);
	void	   *words;			/* for take_word() */
} ImageReader;

/* XX001 */
extern void image_corrupt(const ImageReader *reader);

static inline const char *
image_take(ImageReader *reader, uint64 len)
{
	const char *p = (const char *) reader->at;

	if (unlikely(len > (uint64) (reader->end - reader->at)))
		image_corrupt(reader);
	reader->at += len;
	return p;
}

static inline uint64
image_take_varint(ImageReader *reader)
{
	uint64		value = 0;

	if (unlikely(!varint_get(&reader->at, reader->end, &value)))
		image_corrupt(reader);
	return value;
}

/* Adds all customers, which are the rest of the image, to a log of the same keys. */
extern void customer_image_merge(CustomerLog *customers, ImageReader *reader);

#endif							/* RETENTION_CUSTOMER_LOG_SERIALIZE_H */
