/* The engine's native part: sound ports for pjmedia's bridge, the buses, and the worker's loop.
 *
 * Everything here runs in one thread, that of the worker, and holds no lock.  A frame is 160 samples of
 * 16 bits: 20 ms at 8 kHz.  Frames come once a tick, and ticks are numbered by the machine's monotonic
 * clock, so that those of all workers are numbered alike.
 */
#ifndef RINGFUL_SOUND_H
#define RINGFUL_SOUND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SAMPLES = 160,  /* of a frame */
    SEATS = 256,    /* of a bus */
    TURNS = 4,      /* ticks for which a seat keeps what was said */
    CHANNELS = 3,   /* of a port: foreground, background, and keys */
    KEYS = 2,       /* the channel that silences the others for as long as it sounds */
    QUEUE = 8,      /* sounds that wait on a channel, the present one with them */
    RING = 128,     /* frames that a port keeps of what it heard: 2.56 s */
    LIBRARY = 64,   /* words at the beginning of a port that belong to the library */
    BUS_BYTES = 85 * 4096
};

/* Buses.  The layout is that of `ringful.media.buses`, whose docstring says how they work. */

struct seat {
    _Atomic uint64_t tick[TURNS];
    int16_t samples[TURNS][SAMPLES];
    _Atomic uint32_t to[TURNS]; /* the sitting that alone hears it; 0: all on the bus */
    char spare[16];
};

struct bus {
    _Atomic uint32_t seats; /* how many were ever taken, from the first one on */
    char spare[60];
    struct seat seat[SEATS];
};

_Static_assert(sizeof(struct seat) == 1344, "as ringful.media.buses.SEAT_BYTES says");
_Static_assert(offsetof(struct bus, seat) == 64, "as ringful.media.buses.HEAD_BYTES says");
_Static_assert(sizeof(struct bus) <= BUS_BYTES, "as ringful.media.buses.BUS_BYTES says");

/* What one seat said to one sitting alone. */
struct whisper {
    int32_t seat;
    uint32_t to;
};

/* What all seats of a bus said on one tick. */
struct total {
    uint64_t tick;
    int32_t voices, whispers;
    int32_t sum[SAMPLES]; /* of the voices, which all hear */
    struct whisper whisper[SEATS];
};

int buses_open(void *memory, int count);
void bus_take(int bus, int seat);
void bus_say(int bus, int seat, uint64_t tick, const int16_t *samples, uint32_t to);
const int16_t *bus_said(int bus, int seat, uint64_t tick, uint32_t *to);
const struct total *bus_total(int bus, uint64_t tick);

/* Ports. */

/* pjmedia_frame, as pjproject has it since 1.0. */
struct frame {
    int type;
    void *buf;
    size_t size;
    uint64_t timestamp;
    uint32_t bit_info;
};

enum { FRAME_NONE, FRAME_AUDIO };

struct sound {
    int64_t id;
    const int16_t *samples;
    int64_t count, place;
};

/* How much a sum of voices is turned down, so that it fits. */
struct limiter {
    float gain;
};

/* What was heard of keys in sound. */
struct tones {
    int32_t seen, hits, down, misses;
    double power;
    int16_t before[SAMPLES / 2];
};

struct port {
    void *library[LIBRARY];
    int32_t number;
    bool lent;
    bool alone; /* no call is behind it: the loop runs it, and not the bridge */

    int32_t sounds[CHANNELS];
    struct sound queue[CHANNELS][QUEUE];
    struct limiter out;

    int32_t bus, seat; /* -1: it sits nowhere */
    uint32_t sitting;  /* what no other stay on any bus is called */
    uint32_t to;       /* the sitting that alone hears it; 0: all */
    bool muted, deaf;
    bool speaks;
    int32_t loud, quiet; /* frames in a row */
    uint64_t others_at;
    int32_t others[SAMPLES];
    bool any_others;

    bool hears_keys;
    int32_t said_keys; /* ticks for which what is heard may be the echo of our own */
    struct tones tones;

    int32_t listeners;
    uint64_t heard_at; /* the tick on which it was given a frame last */
    uint64_t frames;   /* in the ring so far */
    struct limiter in;
    int64_t energy[RING];
    int16_t ring[RING][SAMPLES];
};

/* What happened on a port. */
enum { STARTED = 1, ENDED, SPEAKS, SILENT, KEY };

struct event {
    int64_t id; /* of the sound; of a key, its row and its column */
    int32_t what;
    int32_t port;
};

int library_find(void *get_frame, void *put_frame, void *info_init);
struct port *port_new(void);
int port_number(const struct port *port);
void port_lend(struct port *port, bool alone);
void port_give_back(struct port *port);
int port_play(struct port *port, int channel, int64_t id, const int16_t *samples, int64_t count);
int port_stop(struct port *port, int channel, int64_t id);
void port_sit(struct port *port, int bus, int seat, uint32_t sitting);
void port_hush(struct port *port, bool muted, bool deaf, uint32_t to);
void port_hear_keys(struct port *port, bool on);
uint64_t port_listen(struct port *port, int change);
int port_heard(struct port *port, uint64_t from, int16_t *samples, int64_t *energy, int most);
int port_get(void *self, struct frame *frame);
int port_put(void *self, struct frame *frame);
void ports_tick(void);
void ports_set_tick(uint64_t tick);
void ports_skip(uint64_t many);
unsigned events_take(struct event *to, unsigned most);
unsigned events_waiting(void);

void tones_open(struct tones *tones);
int tones_hear(struct tones *tones, const int16_t *frame);

void mix_down(struct limiter *limiter, const int32_t *mix, int16_t *out);

/* Keys in RTP. */

/* A packet of an event (RFC 4733 2.3). */
struct rtp_event {
    void *stream;
    uint32_t source, timestamp; /* of 1/8000 s */
    uint16_t duration;
    uint8_t event;
    bool is_end;
};

int events_tap(void *transport);
bool rtp_event_in(const uint8_t *packet, ptrdiff_t size, struct rtp_event *event);
unsigned rtp_events_take(struct rtp_event *to, unsigned most);
unsigned rtp_events_waiting(void);

/* The loop. */

void loop_open(void *handle_events, void *ioqueue_poll, void *ioqueue, void *get_frame, void *bridge);
unsigned loop_run(int milliseconds, bool ticking);
bool loop_is_due(void);
int64_t loop_skipped(void);
int64_t loop_ticks(void);

#endif
