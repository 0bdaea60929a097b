/* The engine's native part by itself: exact samples, and every queue and ring at its bounds.
 *
 * Built with sanitizers by test_native.py; each CHECK that fails says so, and the process ends with 1.
 */
#include "sound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;
#define CHECK(what) check((what) != 0, __func__, __LINE__, #what)

static void check(bool holds, const char *where, int line, const char *what) {
    if (!holds) {
        printf("%s:%d: %s\n", where, line, what);
        failures++;
    }
}

static uint64_t tick = 1000;
static int16_t out[SAMPLES];

static void step(void) {
    ports_set_tick(++tick);
}

/* Ask for a frame; whether there was sound in it. */
static bool get(struct port *port) {
    struct frame frame = {FRAME_AUDIO, out, sizeof out, 0, 0};
    memset(out, 0x55, sizeof out);
    CHECK(port_get(port, &frame) == 0);
    CHECK(frame.type == FRAME_NONE ? frame.size == 0 : frame.size == sizeof out);
    return frame.type == FRAME_AUDIO;
}

static void put(struct port *port, int16_t value) {
    int16_t in[SAMPLES];
    for (int i = 0; i < SAMPLES; i++)
        in[i] = value;
    struct frame frame = {FRAME_AUDIO, in, sizeof in, 0, 0};
    CHECK(port_put(port, &frame) == 0);
}

static void put_nothing(struct port *port) {
    struct frame frame = {FRAME_NONE, NULL, 0, 0, 0};
    CHECK(port_put(port, &frame) == 0);
}

static bool all(int16_t value) {
    for (int i = 0; i < SAMPLES; i++)
        if (out[i] != value)
            return false;
    return true;
}

static struct port *lend(bool alone) {
    struct port *port = port_new();
    CHECK(port);
    port_lend(port, alone);
    return port;
}

static struct event told(void) {
    struct event event = {0, 0, 0};
    events_take(&event, 1);
    return event;
}

static void sounds_follow_one_another_without_a_hole(void) {
    static int16_t one[SAMPLES + 7], other[2 * SAMPLES];
    for (int i = 0; i < SAMPLES + 7; i++)
        one[i] = (int16_t)(i + 1);
    for (int i = 0; i < 2 * SAMPLES; i++)
        other[i] = (int16_t)-(i + 1);
    struct port *port = lend(false);
    CHECK(!get(port));
    CHECK(port_play(port, 0, 71, one, SAMPLES + 7) == 0);
    CHECK(port_play(port, 0, 72, other, 2 * SAMPLES) == 0);
    step();
    CHECK(get(port) && memcmp(out, one, sizeof out) == 0);
    struct event event = told();
    CHECK(event.what == STARTED && event.id == 71 && event.port == port_number(port));
    CHECK(events_waiting() == 0);
    step();
    CHECK(get(port));
    CHECK(memcmp(out, one + SAMPLES, 7 * sizeof *out) == 0);
    CHECK(memcmp(out + 7, other, (SAMPLES - 7) * sizeof *out) == 0);
    event = told(), CHECK(event.what == ENDED && event.id == 71);
    event = told(), CHECK(event.what == STARTED && event.id == 72);
    step(), CHECK(get(port));
    CHECK(memcmp(out, other + SAMPLES - 7, sizeof out) == 0);
    step(), CHECK(get(port));
    CHECK(memcmp(out, other + 2 * SAMPLES - 7, 7 * sizeof *out) == 0);
    for (int i = 7; i < SAMPLES; i++)
        CHECK(out[i] == 0);
    event = told(), CHECK(event.what == ENDED && event.id == 72);
    step(), CHECK(!get(port));
    port_give_back(port);
}

static void a_queue_is_full_at_its_bound(void) {
    static const int16_t sample[1] = {5};
    struct port *port = lend(false);
    for (int id = 0; id < QUEUE; id++)
        CHECK(port_play(port, 1, id, sample, 1) == 0);
    CHECK(port_play(port, 1, 99, sample, 1) == -1);
    CHECK(port_play(port, 0, 98, sample, 1) == 0); /* The other channel has its own. */
    CHECK(port_play(port, CHANNELS, 97, sample, 1) == -1 && port_play(port, -1, 97, sample, 1) == -1);
    CHECK(port_play(port, 0, 97, sample, 0) == -1);
    CHECK(port_stop(port, 1, 3) == 0 && port_stop(port, 1, 3) == -1 && port_stop(port, 5, 0) == -1);
    CHECK(port_play(port, 1, 99, sample, 1) == 0);
    step();
    CHECK(get(port) && out[0] == 10 && out[1] == 5 && out[QUEUE - 1] == 5 && out[QUEUE] == 0);
    /* All in one tick: two events for each sound, and none is lost. */
    CHECK(events_waiting() == 2 * (QUEUE + 1));
    struct event events[64];
    CHECK(events_take(events, 3) == 3 && events_waiting() == 2 * (QUEUE + 1) - 3);
    CHECK(events_take(events, 64) == 2 * (QUEUE + 1) - 3);
    CHECK(events[2 * (QUEUE + 1) - 4].id == 99);
    port_give_back(port);
}

static void a_ring_forgets_what_is_not_fetched(void) {
    static int16_t samples[(RING + 10) * SAMPLES];
    static int64_t energy[RING + 10];
    struct port *port = lend(false);
    put(port, 7);
    CHECK(port->frames == 0); /* Nobody listens. */
    uint64_t from = port_listen(port, 1);
    for (int i = 0; i < RING; i++)
        step(), put(port, (int16_t)(i + 1));
    CHECK(port_heard(port, from, samples, energy, RING + 10) == RING);
    CHECK(samples[0] == 1 && energy[0] == SAMPLES && samples[RING * SAMPLES - 1] == RING);
    CHECK(port_heard(port, from + RING, samples, energy, 10) == 0);
    step(), put(port, 1000);
    step(), put(port, 1001);
    CHECK(port_heard(port, from, samples, energy, RING + 10) == RING + 2);
    /* The two that were overwritten are silence, in their places. */
    CHECK(samples[0] == 0 && energy[0] == 0 && samples[2 * SAMPLES - 1] == 0);
    CHECK(samples[2 * SAMPLES] == 3 && samples[(RING + 1) * SAMPLES] == 1001);
    CHECK(port_heard(port, from + RING, samples, energy, 1) == 1 && samples[0] == 1000);
    port_listen(port, -1);
    step(), put(port, 7);
    CHECK(port->frames == from + RING + 2);
    CHECK(port_listen(port, -1) == from + RING + 2 && port->listeners == 0);
    port_give_back(port);
}

static void the_time_of_a_recording_goes_on_without_frames(void) {
    int16_t samples[4 * SAMPLES];
    int64_t energy[4];
    struct port *port = lend(false);
    uint64_t from = port_listen(port, 1);
    step(), put(port, 3), ports_tick();
    step(), ports_tick(); /* It is on hold: the bridge gives nothing at all. */
    step(), put_nothing(port), ports_tick();
    step(), put(port, 4), ports_tick();
    CHECK(port_heard(port, from, samples, energy, 4) == 4);
    CHECK(samples[0] == 3 && samples[SAMPLES] == 0 && samples[2 * SAMPLES] == 0 && samples[3 * SAMPLES] == 4);
    port_give_back(port);
}

static void the_time_of_a_recording_goes_on_over_skipped_ticks(void) {
    static int16_t samples[(RING + 5) * SAMPLES];
    static int64_t energy[RING + 5];
    struct port *port = lend(false), *other = lend(false);
    uint64_t from = port_listen(port, 1);
    step(), put(port, 3), ports_skip(2);
    step(), put(port, 4);
    CHECK(port_heard(port, from, samples, energy, RING) == 4);
    CHECK(samples[0] == 3 && samples[SAMPLES] == 0 && samples[2 * SAMPLES] == 0 && samples[3 * SAMPLES] == 4);
    ports_skip(RING + 7), step(), put(port, 5);
    CHECK(port->frames == from + 4 + RING + 7 + 1);
    CHECK(port_heard(port, from + 4, samples, energy, RING + 5) == RING + 5 && samples[0] == 0);
    CHECK(port_heard(port, port->frames - 2, samples, energy, 2) == 2 && samples[0] == 0 && samples[SAMPLES] == 5);
    ports_skip(UINT64_MAX);
    CHECK(port->frames == from + 4 + RING + 7 + 1 + 3000);
    CHECK(other->frames == 0); /* Nobody listens. */
    port_give_back(port), port_give_back(other);
}

static void everybody_hears_the_others(void) {
    struct port *port[3];
    for (int i = 0; i < 3; i++)
        port[i] = lend(false), port_sit(port[i], 1, i, 0);
    step();
    for (int i = 0; i < 3; i++)
        CHECK(!get(port[i])), put(port[i], (int16_t)(1 << i));
    step();
    for (int i = 0; i < 3; i++)
        CHECK(get(port[i]) && all((int16_t)(7 - (1 << i))));
    port_hush(port[0], true, false, 0);
    port_hush(port[1], false, true, 0);
    for (int i = 0; i < 3; i++)
        put(port[i], (int16_t)(1 << i));
    step();
    CHECK(get(port[0]) && all(6));
    CHECK(!get(port[1]));
    CHECK(get(port[2]) && all(2));
    step(); /* What is older than a tick is heard by nobody: as of a worker that has died. */
    CHECK(!get(port[0]) && !get(port[1]) && !get(port[2]));
    /* Another bus is another conference. */
    port_sit(port[2], 0, 2, 0);
    for (int i = 0; i < 3; i++)
        put(port[i], 50);
    step();
    CHECK(!get(port[2]));
    CHECK(get(port[0]) && all(50));
    for (int i = 0; i < 3; i++)
        port_give_back(port[i]);
    step();
    CHECK(!get(port[0]));
    while (events_waiting())
        told();
}

static void the_last_seat_and_the_last_bus_are_used(void) {
    struct port *last = lend(false), *first = lend(false), *nowhere = lend(false);
    port_sit(last, 2, SEATS - 1, 0), port_sit(first, 2, 0, 0);
    port_sit(nowhere, 3, 0, 0); /* There is no such bus. */
    step(), put(last, 9), put(first, 4), put(nowhere, 5);
    step();
    CHECK(get(first) && all(9) && get(last) && all(4) && !get(nowhere));
    port_sit(nowhere, 2, SEATS, 0);
    put(nowhere, 5);
    step();
    CHECK(!get(first));
    port_give_back(last), port_give_back(first), port_give_back(nowhere);
}

static void a_room_plays_and_records(void) {
    static int16_t announcement[SAMPLES], samples[4 * SAMPLES];
    int64_t energy[4];
    for (int i = 0; i < SAMPLES; i++)
        announcement[i] = 100;
    struct port *room = lend(true), *leg = lend(false);
    port_sit(room, 0, 5, 0), port_sit(leg, 0, 6, 0);
    uint64_t from = port_listen(room, 1);
    CHECK(port_play(room, 0, 1, announcement, SAMPLES) == 0);
    step(), put(leg, 11), ports_tick();
    step(), CHECK(get(leg) && all(100)), put_nothing(leg), ports_tick();
    CHECK(port_heard(room, from, samples, energy, 4) == 2);
    CHECK(samples[0] == 0 && samples[SAMPLES] == 111);
    port_give_back(room), port_give_back(leg);
    while (events_waiting())
        told();
}

static void a_leg_records_whom_it_hears(void) {
    static int16_t samples[4 * SAMPLES];
    int64_t energy[4];
    struct port *leg = lend(false), *other = lend(false);
    port_sit(leg, 0, 1, 0), port_sit(other, 0, 2, 0);
    step(), put(other, 20);
    uint64_t from = port_listen(leg, 1);
    step(), put(leg, 3), put(other, 20);
    CHECK(port_heard(leg, from, samples, energy, 4) == 1 && samples[0] == 23);
    CHECK(energy[0] == 23 * 23 * SAMPLES);
    port_hush(leg, true, true, 0); /* Others do not hear it, and its own recording does. */
    step(), put(leg, 3), put(other, 20);
    CHECK(port_heard(leg, from, samples, energy, 4) == 2 && samples[SAMPLES] == 3);
    port_give_back(leg), port_give_back(other);
    while (events_waiting())
        told();
}

static void who_speaks_is_told(void) {
    struct port *port = lend(false);
    port_sit(port, 0, 9, 0);
    step(), put(port, 1000), step(), put(port, 1000);
    CHECK(events_waiting() == 0);
    step(), put(port, 1000);
    struct event event = told();
    CHECK(event.what == SPEAKS && event.port == port_number(port));
    for (int i = 0; i < 24; i++)
        step(), put(port, 10);
    CHECK(events_waiting() == 0);
    step(), put_nothing(port);
    CHECK(told().what == SILENT);
    port_hush(port, true, false, 0);
    for (int i = 0; i < 10; i++)
        step(), put(port, 1000);
    CHECK(events_waiting() == 0);
    port_give_back(port);
}

static void many_loud_voices_do_not_clip(void) {
    struct limiter limiter = {1.0f};
    int32_t mix[SAMPLES];
    for (int i = 0; i < SAMPLES; i++)
        mix[i] = i % 2 ? INT16_MAX : INT16_MIN;
    mix_down(&limiter, mix, out);
    for (int i = 0; i < SAMPLES; i++)
        CHECK(out[i] == (i % 2 ? INT16_MAX : INT16_MIN)); /* One at full scale is exact. */
    for (int i = 0; i < SAMPLES; i++)
        mix[i] = i % 8 < 4 ? 250 * 32767 : -250 * 32768; /* As many as there may be. */
    mix_down(&limiter, mix, out);
    int clipped = 0;
    for (int i = 16; i < SAMPLES; i++)
        clipped += out[i] == INT16_MIN;
    CHECK(clipped == 0 && out[16] > 32000 && limiter.gain < 1.0f / 249);
    int frames = 0;
    for (int i = 0; i < SAMPLES; i++)
        mix[i] = 1000;
    while (limiter.gain < 1.0f && frames < 1000)
        mix_down(&limiter, mix, out), frames++;
    CHECK(frames > 45 && frames < 55); /* a second from nothing to all */
    mix_down(&limiter, mix, out);
    CHECK(all(1000));
}

static void a_port_that_was_given_back_is_silent(void) {
    static const int16_t sample[SAMPLES] = {1};
    struct port *port = lend(false);
    port_play(port, 0, 1, sample, SAMPLES), port_play(port, 1, 2, sample, SAMPLES);
    port_sit(port, 0, 3, 0);
    port_listen(port, 1);
    port_give_back(port);
    step();
    CHECK(!get(port)), put(port, 5), ports_tick();
    CHECK(events_waiting() == 0 && port->bus == -1 && port->listeners == 0);
    port_lend(port, false);
    CHECK(!get(port) && port_listen(port, 1) == 0);
    port_give_back(port);
}

static void packets_of_events_are_read_and_others_are_not(void) {
    struct rtp_event event = {0};
    /* Two sources that are named, a header extension of one word, and two bytes of padding. */
    const uint8_t whole[] = {0xb2, 0xe5, 0, 1, 0, 0, 1, 2, 0xff, 0, 0, 7, 0, 0, 0, 1,    0,    0,
                             0,    2,    1, 2, 0, 1, 9, 9, 9,    9, 5, 0x8a, 3, 0x20, 0, 2};
    CHECK(rtp_event_in(whole, sizeof whole, &event));
    CHECK(event.timestamp == 258 && event.source == 0xff000007 && event.event == 5);
    CHECK(event.is_end && event.duration == 800);
    for (size_t size = 0; size < sizeof whole; size++) {
        uint8_t *part = malloc(size + 1); /* Where more were read, the sanitizer would say so. */
        memcpy(part + 1, whole, size);
        CHECK(!rtp_event_in(part + 1, (ptrdiff_t)size, &event) || size == sizeof whole - 2);
        free(part);
    }
    CHECK(!rtp_event_in(whole, -5, &event));
    uint8_t sound[SAMPLES + 12] = {0x80, 0};
    CHECK(!rtp_event_in(sound, sizeof sound, &event));
    sound[1] = 101;
    CHECK(!rtp_event_in(sound, sizeof sound, &event) && rtp_event_in(sound, 16, &event));
    uint8_t extended[16] = {0x9f, 101};
    memset(extended + 12, 0xff, 4);
    CHECK(!rtp_event_in(extended, sizeof extended, &event));
    uint8_t padded[17] = {0xa0, 101};
    padded[16] = 255;
    CHECK(!rtp_event_in(padded, sizeof padded, &event));
}

static void silence_and_the_loudest_noise_are_no_keys(void) {
    struct port *port = lend(false);
    port_hear_keys(port, true);
    for (int i = 0; i < 20; i++) {
        step(), put(port, i % 2 ? INT16_MAX : INT16_MIN), put_nothing(port), ports_tick();
        port_hear_keys(port, i % 5);
    }
    CHECK(events_waiting() == 0);
    port_give_back(port);
    CHECK(!port->hears_keys);
}

int main(void) {
    char *memory = aligned_alloc(4096, 3 * BUS_BYTES);
    memset(memory, 0, 3 * BUS_BYTES);
    CHECK(buses_open(memory, 3) == 0);
    sounds_follow_one_another_without_a_hole();
    a_queue_is_full_at_its_bound();
    a_ring_forgets_what_is_not_fetched();
    the_time_of_a_recording_goes_on_without_frames();
    the_time_of_a_recording_goes_on_over_skipped_ticks();
    everybody_hears_the_others();
    the_last_seat_and_the_last_bus_are_used();
    a_room_plays_and_records();
    a_leg_records_whom_it_hears();
    who_speaks_is_told();
    many_loud_voices_do_not_clip();
    a_port_that_was_given_back_is_silent();
    packets_of_events_are_read_and_others_are_not();
    silence_and_the_loudest_noise_are_no_keys();
    int ports = 0;
    while (port_new())
        ports++;
    CHECK(ports > 2000);
    printf(failures ? "%d failed\n" : "all hold\n", failures);
    fflush(stdout);
    _Exit(failures != 0); /* Ports are never freed, and that is meant. */
}
