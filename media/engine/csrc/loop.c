/* The worker's loop: it sleeps in pjsip until the next tick; before a tick it drains the RTP sockets, and in it it runs
 * the bridge. */
#define _POSIX_C_SOURCE 200809L
#include "sound.h"

#include <time.h>

#define TICK 20000000LL
/* RTP is read so long before each tick that what answers a key can be in that tick still. */
#define DRAIN (TICK / 5)
enum {
    PATIENCE = 5, /* ticks by which we may be late before we skip them */
    AT_ONCE = 16  /* events that one poll of the library handles at most */
};

static int (*handle_events)(unsigned);
static int (*ioqueue_poll)(void *, const long *);
static int (*get_frame)(void *, struct frame *);
static void *ioqueue, *bridge;
static int64_t next, drain_at, ticks, skipped;
static bool has_sound;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void start_over(int64_t from) {
    next = (from / TICK + 1) * TICK;
    drain_at = next - DRAIN;
}

/* Learn how the library is called; the bridge is its master port. */
void loop_open(void *events, void *poll, void *queue, void *get, void *master) {
    handle_events = (int (*)(unsigned))events;
    ioqueue_poll = (int (*)(void *, const long *))poll;
    get_frame = (int (*)(void *, struct frame *))get;
    ioqueue = queue, bridge = master;
    start_over(now());
}

static void drain(void) {
    static const long at_once[2] = {0, 0};
    while (ioqueue_poll(ioqueue, at_once) >= AT_ONCE)
        ;
}

static void run_tick(int64_t late) {
    int16_t samples[SAMPLES];
    struct frame frame = {FRAME_NONE, samples, sizeof samples, (uint64_t)ticks * SAMPLES, 0};
    if (late > PATIENCE * TICK) {
        skipped += late / TICK;
        next += late / TICK * TICK;
        ports_skip((uint64_t)(late / TICK));
    }
    ports_set_tick((uint64_t)(next / TICK));
    if (drain_at < next)
        drain(); /* It was too late to be done before. */
    get_frame(bridge, &frame);
    ports_tick();
    next += TICK, ticks++;
    drain_at = next - DRAIN;
}

/* Run until something has happened, or for so long; without *ticking* there is no sound.
 *
 * Returns how many events wait.
 */
unsigned loop_run(int milliseconds, bool ticking) {
    has_sound = ticking;
    if (!ticking) {
        handle_events((unsigned)milliseconds);
        start_over(now());
        return events_waiting();
    }
    for (int64_t end = now() + milliseconds * 1000000LL;;) {
        int64_t time = now();
        if (time >= next) {
            run_tick(time - next);
            if (events_waiting() || rtp_events_waiting())
                break;
        } else if (time >= end) {
            break;
        } else if (time >= drain_at) {
            drain();
            drain_at = next;
            if (rtp_events_waiting())
                break;
        } else {
            int64_t until = drain_at < next ? drain_at : next;
            if (handle_events((unsigned)((until - time + 999999) / 1000000)) > 0)
                break;
        }
    }
    return events_waiting();
}

/* Whether a tick is due, for which SIP has to wait: a poll of the library may handle a hundred packets. */
bool loop_is_due(void) {
    return has_sound && now() >= next;
}

/* How many ticks were skipped because the loop was late. */
int64_t loop_skipped(void) {
    return skipped;
}

int64_t loop_ticks(void) {
    return ticks;
}
