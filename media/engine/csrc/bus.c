/* Seats in memory that all workers share, and their sums. */
#include "sound.h"

#include <stdlib.h>
#include <string.h>

static char *first;
static int count;
static struct total *totals; /* of each bus, the latest that was asked for */

static struct bus *bus_at(int bus) {
    return (struct bus *)(first + (size_t)bus * BUS_BYTES);
}

static bool is_seat(int bus, int seat) {
    return bus >= 0 && bus < count && seat >= 0 && seat < SEATS;
}

/* Use *memory*, which holds so many buses.  Returns -1 where there is no room for their sums. */
int buses_open(void *memory, int buses) {
    struct total *made = calloc((size_t)buses + 1, sizeof *made);
    if (!made)
        return -1;
    free(totals);
    first = memory, count = buses, totals = made;
    return 0;
}

/* Let everybody know that somebody sits there. */
void bus_take(int bus, int seat) {
    if (!is_seat(bus, seat))
        return;
    _Atomic uint32_t *seats = &bus_at(bus)->seats;
    uint32_t before = atomic_load(seats);
    while (before < (uint32_t)seat + 1 && !atomic_compare_exchange_weak(seats, &before, (uint32_t)seat + 1))
        ;
}

/* Say it to all, or to the one sitting *to*. */
void bus_say(int bus, int seat, uint64_t tick, const int16_t *samples, uint32_t to) {
    if (!is_seat(bus, seat))
        return;
    struct seat *mine = &bus_at(bus)->seat[seat];
    memcpy(mine->samples[tick % TURNS], samples, sizeof mine->samples[0]);
    atomic_store_explicit(&mine->to[tick % TURNS], to, memory_order_relaxed);
    /* The number is written behind the samples, and whom they are for: whoever sees it sees them. */
    atomic_store_explicit(&mine->tick[tick % TURNS], tick, memory_order_release);
}

/* What a seat said on *tick*, and to whom (0: to all); NULL where it said nothing.
 *
 * Only a worker that is three ticks late could still read while the seat is written anew: it hears a
 * wrong frame then, beside those that it missed.
 */
const int16_t *bus_said(int bus, int seat, uint64_t tick, uint32_t *to) {
    if (!is_seat(bus, seat))
        return NULL;
    struct seat *one = &bus_at(bus)->seat[seat];
    if (atomic_load_explicit(&one->tick[tick % TURNS], memory_order_acquire) != tick)
        return NULL;
    *to = atomic_load_explicit(&one->to[tick % TURNS], memory_order_relaxed);
    return one->samples[tick % TURNS];
}

/* The sum of all seats on *tick*, and who whispered: made once, whoever asks first.
 *
 * NULL where there is no such bus.
 */
const struct total *bus_total(int bus, uint64_t tick) {
    if (!is_seat(bus, 0))
        return NULL;
    struct total *total = &totals[bus];
    if (total->tick == tick)
        return total;
    memset(total, 0, offsetof(struct total, whisper));
    total->tick = tick;
    int seats = (int)atomic_load(&bus_at(bus)->seats);
    if (seats > SEATS)
        seats = SEATS; /* Others write there: it is not to be trusted with our memory. */
    for (int seat = 0; seat < seats; seat++) {
        uint32_t to;
        const int16_t *said = bus_said(bus, seat, tick, &to);
        if (!said)
            continue;
        if (to) {
            total->whisper[total->whispers++] = (struct whisper){seat, to};
            continue;
        }
        total->voices++;
        for (int i = 0; i < SAMPLES; i++)
            total->sum[i] += said[i];
    }
    return total;
}
