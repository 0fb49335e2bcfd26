/* What a message says, and what is counted of it: deliveries, their lateness, what is missing. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "histogram.h"

typedef enum { END, SKIP, SEQUENCE, PRODUCT, COUNTER, TIME } Field;
typedef struct {
    const char *name, *word; /* `word` is the value of the first key of what is counted */
    Field fields[8];
} Layout;
static const Layout LAYOUTS[] = {
    {"tick", "tick", {PRODUCT, COUNTER, SKIP, TIME}},
    {"event", "quote", {SEQUENCE, PRODUCT, SKIP, COUNTER, SKIP, SKIP, TIME}},
};

typedef enum { UNUSED, CONNECTING, HANDSHAKE, SUBSCRIBING, SUBSCRIBED, READY, CLOSED } State;
typedef struct {
    int fd, number;
    State state;
    bool apart;     /* stalled or private: not part of what is counted as deliveries to everybody */
    uint8_t *rest;  /* the beginning of a frame whose end has not come yet */
    size_t rest_bytes;
    uint64_t begun_ns, messages;
    int64_t sequence, *counters; /* the last of each product, 0: none yet */
} Connection;

/* ---- what was asked for */
static int products = 1, expected;
static const char *private_word = NULL;
static const Layout *layout = &LAYOUTS[0];

/* ---- what is counted */
static int complete; /* connections that have had all that is expected */
static bool measuring;
static Histogram latency, urgent, connect_times;
static uint64_t messages, bytes, reads, missing, repeated, sequence_gaps, first_sent_ns = UINT64_MAX, last_come_ns;

/* ---- messages */
static inline bool first_value_is(const uint8_t *at, const uint8_t *end, const char *word)
{
    while (at < end && *at != ':')
        at++;
    while (at < end && (*at == ':' || *at == ' ' || *at == '"'))
        at++;
    size_t length = strlen(word);
    return (size_t)(end - at) > length && !memcmp(at, word, length) && at[length] == '"';
}

static inline int64_t next_number(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at;
    int64_t number = 0;
    while (p < end && (unsigned)(*p - '0') > 9)
        p++;
    while (p < end && (unsigned)(*p - '0') <= 9)
        number = number * 10 + (*p++ - '0');
    *at = p;
    return number;
}

static void note_sequence(Connection *connection, int64_t sequence)
{
    sequence_gaps += sequence != connection->sequence + 1;
    connection->sequence = sequence;
}

static void note_counter(Connection *connection, int64_t product, int64_t counter)
{
    int64_t *last = &connection->counters[product % products];
    if (measuring && *last && !connection->apart) {
        if (counter <= *last)
            repeated++;
        else
            missing += (uint64_t)(counter - *last - 1);
    }
    *last = counter;
}

static void note_delivery(Connection *connection, uint64_t sent_ns, uint64_t come_ns)
{
    if (!measuring || connection->apart)
        return;
    note(&latency, come_ns > sent_ns ? come_ns - sent_ns : 0);
    messages++;
    last_come_ns = come_ns;
    if (sent_ns < first_sent_ns)
        first_sent_ns = sent_ns;
    complete += ++connection->messages == (uint64_t)expected;
}

static void take_message(Connection *connection, const uint8_t *at, const uint8_t *end, uint64_t come_ns)
{
    int64_t product = 0, number = 0;
    if (first_value_is(at, end, layout->word)) {
        for (const Field *field = layout->fields; *field; field++) {
            number = next_number(&at, end);
            if (*field == SEQUENCE)
                note_sequence(connection, number);
            else if (*field == PRODUCT)
                product = number;
            else if (*field == COUNTER)
                note_counter(connection, product, number);
            else if (*field == TIME)
                note_delivery(connection, (uint64_t)number, come_ns);
        }
    } else if (private_word && first_value_is(at, end, private_word)) {
        while (at < end) { /* its largest number is its time */
            int64_t other = next_number(&at, end);
            number = other > number ? other : number;
        }
        if (measuring)
            note(&urgent, come_ns - (uint64_t)number);
    } else if (connection->state == SUBSCRIBING && first_value_is(at, end, "subscribed"))
        connection->state = SUBSCRIBED;
    else if (first_value_is(at, end, "error")) {
        fprintf(stderr, "load: refused: %.*s\n", (int)(end - at), (const char *)at);
        exit(3);
    } else if (layout->fields[0] == SEQUENCE && end - at > 8 && !memcmp(at, "{\"event\"", 8))
        note_sequence(connection, next_number(&at, end));
}
