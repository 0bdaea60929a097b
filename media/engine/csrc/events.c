/* Keys in RTP (RFC 4733): every packet of telephone-events, before the library sees it.
 *
 * The library drops what is out of order, what has another payload type than it offered, and the end of a
 * key whose beginning was lost.  So where its streams attach themselves to a transport, what hears their
 * packets is ours: it keeps those of events, and hands each on.  A stream is known by its address, and what
 * SRTP has decrypted comes the same way.
 */
#define _GNU_SOURCE
#include "sound.h"

#include <dlfcn.h>
#include <string.h>

enum {
    OPERATIONS = 13, /* of pjmedia_transport_op, */
    ATTACH = 12,     /* of which this one is attach2 */
    TABLES = 4,
    KEPT = 256, /* packets; what comes beyond is not kept: five seconds of four calls' keys at once */
    HEADER = 12,
    PAYLOAD = 4,
    DYNAMIC = 96 /* the first payload type that has no meaning by itself */
};

/* pjmedia_transport. */
struct transport {
    char name[32];
    int type;
    void **operations;
};

/* pjmedia_transport_attach_param. */
struct attach {
    void *stream;
    int type;
    char address[28], rtcp_address[28];
    unsigned length;
    void *user_data;
    void *rtp, *rtcp;
    void (*rtp2)(void *);
};

/* pjmedia_tp_cb_param. */
struct came {
    void *user_data;
    const uint8_t *packet;
    ptrdiff_t size;
};

typedef int attach_function(void *, struct attach *);

static struct {
    void **operations;
    attach_function *attach;
} tables[TABLES];
static int known;
static void (*hand_on)(void *); /* the library's streams have but one */

static struct rtp_event kept[KEPT];
static unsigned waiting;

static uint32_t word(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Read a packet; whether it is one of an event. */
bool rtp_event_in(const uint8_t *packet, ptrdiff_t size, struct rtp_event *event) {
    if (size < HEADER || packet[0] >> 6 != 2 || (packet[1] & 0x7f) < DYNAMIC)
        return false;
    ptrdiff_t at = HEADER + 4 * (packet[0] & 0x0f), end = size;
    if (packet[0] & 0x10) {
        if (at + 4 > end)
            return false;
        at += 4 + 4 * (ptrdiff_t)(packet[at + 2] << 8 | packet[at + 3]);
    }
    if (packet[0] & 0x20)
        end -= packet[size - 1];
    if (end - at != PAYLOAD)
        return false; /* We offer nothing else that is dynamic: sound would be longer. */
    event->timestamp = word(packet + 4);
    event->source = word(packet + 8);
    event->event = packet[at];
    event->is_end = packet[at + 1] >> 7;
    event->duration = (uint16_t)(packet[at + 2] << 8 | packet[at + 3]);
    return true;
}

static void hear(void *given) {
    const struct came *came = given;
    struct rtp_event event = {.stream = came->user_data};
    if (waiting < KEPT && rtp_event_in(came->packet, came->size, &event))
        kept[waiting++] = event;
    hand_on(given);
}

static int attach(void *transport, struct attach *given) {
    void **operations = ((struct transport *)transport)->operations;
    attach_function *real = NULL;
    for (int i = 0; i < known; i++)
        if (tables[i].operations == operations)
            real = tables[i].attach;
    /* SRTP attaches itself to UDP: it is no stream. */
    bool is_stream = given->stream && given->user_data == given->stream && given->rtp2;
    if (is_stream && (!hand_on || hand_on == given->rtp2)) {
        struct attach ours = *given;
        hand_on = given->rtp2;
        ours.rtp2 = hear;
        return real(transport, &ours);
    }
    return real(transport, given);
}

/* Hear what comes through transports of the kind of *transport*.  Returns -1 where they are not as we know them. */
int events_tap(void *transport) {
    void **operations = ((struct transport *)transport)->operations;
    Dl_info library, here;
    for (int i = 0; i < known; i++)
        if (tables[i].operations == operations)
            return 0;
    if (known == TABLES || !operations[ATTACH] || !dladdr(operations, &library))
        return -1;
    /* SRTP has no attach of the first kind. */
    for (int i = 0; i < OPERATIONS; i++)
        if (operations[i] && (!dladdr(operations[i], &here) || here.dli_fbase != library.dli_fbase))
            return -1;
    tables[known].operations = operations;
    memcpy(&tables[known].attach, &operations[ATTACH], sizeof operations[ATTACH]);
    known++;
    attach_function *mine = attach;
    memcpy(&operations[ATTACH], &mine, sizeof mine);
    return 0;
}

unsigned rtp_events_waiting(void) {
    return waiting;
}

/* Hand out what was heard, at most so many, the oldest first; returns how many. */
unsigned rtp_events_take(struct rtp_event *to, unsigned most) {
    unsigned taken = waiting < most ? waiting : most;
    memcpy(to, kept, taken * sizeof *to);
    memmove(kept, kept + taken, (waiting - taken) * sizeof *kept);
    waiting -= taken;
    return taken;
}
