/* Sound ports: each plays queues of sounds, keeps what it hears, and may sit on a bus.
 *
 * A port begins with the library's own structure, of which we know only that it is no longer than
 * LIBRARY words: the library fills its first part, and `library_find` finds out at start where its
 * functions are, by calling them.  Ports are made once and lent, never freed: the bridge may ask one
 * that was given back a tick later.
 */
#include "sound.h"

#include <stdlib.h>
#include <string.h>

enum {
    PORTS = 2048,
    EVENTS = CHANNELS * QUEUE * 2 + 2, /* the most that happens on one port in one tick */
    SPEAKING = 3,                      /* loud frames in a row that are speech */
    SKIPPED = 3000,                    /* ticks without us that a recording shows at most */
    ECHO = 15,                         /* ticks for which what we said may come back */
    PAUSE = 25                         /* quiet frames in a row that end it */
};
static const int64_t LOUD = 300LL * 300 * SAMPLES; /* energy of a loud frame: an RMS of 300, some -41 dB */

static void (*info_init)(void *, const void *, uint32_t, unsigned, unsigned, unsigned, unsigned);
static int get_word = -1, put_word = -1;

static struct port *ports[PORTS];
static int made;
static uint64_t tick;

static struct event *events;
static unsigned waiting, room;

static void tell(const struct port *port, int what, int64_t id) {
    if (waiting < room)
        events[waiting++] = (struct event){id, what, port->number};
}

unsigned events_waiting(void) {
    return waiting;
}

/* Hand out at most so many events, the oldest first; returns how many. */
unsigned events_take(struct event *to, unsigned most) {
    unsigned taken = waiting < most ? waiting : most;
    memcpy(to, events, taken * sizeof *to);
    memmove(events, events + taken, (waiting - taken) * sizeof *events);
    waiting -= taken;
    return taken;
}

/* The library's structure. */

static void *probe[LIBRARY];
static int called;

#define EACH(X)                                                                                               \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18)   \
    X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#define TRAMPOLINE(n)                                                                                         \
    static int trampoline_##n(void *self, struct frame *frame) {                                              \
        (void)self, (void)frame, called = n;                                                                  \
        return 0;                                                                                             \
    }
#define ADDRESS(n) (void *)trampoline_##n,
EACH(TRAMPOLINE)
static void *const trampolines[] = {EACH(ADDRESS)};

static int word_of(int (*call)(void *, struct frame *)) {
    int16_t samples[SAMPLES] = {0};
    struct frame frame = {FRAME_AUDIO, samples, sizeof samples, 0, 0};
    memcpy(probe, trampolines, sizeof trampolines);
    called = -1;
    call(probe, &frame);
    return called;
}

/* Find out where the library keeps a port's functions.  Returns -1 where it is not as we know it. */
int library_find(void *get_frame, void *put_frame, void *init) {
    get_word = word_of((int (*)(void *, struct frame *))get_frame);
    put_word = word_of((int (*)(void *, struct frame *))put_frame);
    info_init = (void (*)(void *, const void *, uint32_t, unsigned, unsigned, unsigned, unsigned))init;
    /* put_frame, get_frame and on_destroy have followed one another in every version so far. */
    return put_word >= 0 && get_word == put_word + 1 ? get_word : -1;
}

static int destroyed(void *self) {
    (void)self;
    return 0;
}

/* Make a port, which is nobody's yet.  Returns NULL where there can be no more. */
struct port *port_new(void) {
    static struct {
        char *text;
        long length;
    } name = {"sound", 5};
    if (made == PORTS)
        return NULL;
    unsigned enough = (unsigned)(made + 1) * EVENTS;
    struct event *grown = realloc(events, enough * sizeof *events);
    if (!grown)
        return NULL;
    events = grown, room = enough;
    struct port *port = calloc(1, sizeof *port);
    if (!port)
        return NULL;
    if (info_init) {
        info_init(port, &name, 0x5246, 8000, 1, 16, SAMPLES);
        port->library[put_word] = (void *)port_put;
        port->library[get_word] = (void *)port_get;
        port->library[get_word + 1] = (void *)destroyed;
    }
    port->number = made;
    port->bus = port->seat = -1;
    ports[made++] = port;
    return port;
}

int port_number(const struct port *port) {
    return port->number;
}

static void forget(struct port *port) {
    size_t kept = offsetof(struct port, lent);
    size_t all = offsetof(struct port, energy); /* what is in the ring is not read before it is written */
    memset((char *)port + kept, 0, all - kept);
    port->bus = port->seat = -1;
    port->out.gain = port->in.gain = 1.0f;
}

/* Have *port* used; *alone*: without a call. */
void port_lend(struct port *port, bool alone) {
    forget(port);
    port->lent = true, port->alone = alone;
}

/* Take it back: it is silent and hears nothing. */
void port_give_back(struct port *port) {
    forget(port);
}

/* What is played. */

/* Append a sound.  Returns -1 where the channel's queue is full, or there is nothing to be heard. */
int port_play(struct port *port, int channel, int64_t id, const int16_t *samples, int64_t count) {
    if (channel < 0 || channel >= CHANNELS || port->sounds[channel] == QUEUE || count <= 0)
        return -1;
    port->queue[channel][port->sounds[channel]++] = (struct sound){id, samples, count, 0};
    return 0;
}

static void drop(struct port *port, int channel, int place) {
    struct sound *queue = port->queue[channel];
    int behind = --port->sounds[channel] - place;
    memmove(queue + place, queue + place + 1, sizeof *queue * (size_t)behind);
}

/* Take a sound out of the queue.  Returns -1 where it is not there. */
int port_stop(struct port *port, int channel, int64_t id) {
    if (channel < 0 || channel >= CHANNELS)
        return -1;
    for (int i = 0; i < port->sounds[channel]; i++)
        if (port->queue[channel][i].id == id) {
            drop(port, channel, i);
            return 0;
        }
    return -1;
}

static bool play(struct port *port, int channel, int32_t *mix) {
    int done = 0;
    while (done < SAMPLES && port->sounds[channel]) {
        struct sound *sound = &port->queue[channel][0];
        if (!sound->place)
            tell(port, STARTED, sound->id);
        int64_t rest = sound->count - sound->place;
        int piece = rest < SAMPLES - done ? (int)rest : SAMPLES - done;
        for (int i = 0; i < piece; i++)
            mix[done + i] += sound->samples[sound->place + i];
        sound->place += piece, done += piece;
        if (sound->place == sound->count) {
            tell(port, ENDED, sound->id);
            drop(port, channel, 0);
        }
    }
    return done > 0;
}

/* What is played goes on under a key, and is not heard. */
static bool play_all(struct port *port, int32_t *mix) {
    bool any = false;
    for (int channel = 0; channel < KEYS; channel++)
        any |= play(port, channel, mix);
    port->said_keys -= port->said_keys > 0;
    if (!port->sounds[KEYS])
        return any;
    port->said_keys = ECHO;
    memset(mix, 0, SAMPLES * sizeof *mix);
    return play(port, KEYS, mix);
}

/* Who hears whom. */

/* Sit down, for the stay that is called *sitting*; -1, -1, 0: stand up. */
void port_sit(struct port *port, int bus, int seat, uint32_t sitting) {
    port->bus = bus, port->seat = seat, port->others_at = 0;
    port->sitting = sitting, port->to = 0;
    port->loud = port->quiet = 0;
    port->speaks = false;
    port->muted = port->deaf = false;
    if (bus >= 0)
        bus_take(bus, seat);
}

/* Say whether it is heard and hears; and by which sitting alone it is heard, 0: by all. */
void port_hush(struct port *port, bool muted, bool deaf, uint32_t to) {
    port->muted = muted, port->deaf = deaf, port->to = to;
}

static void add(int32_t *mix, const int16_t *said) {
    for (int i = 0; i < SAMPLES; i++)
        mix[i] += said[i];
}

/* Add what others say to *port* alone; returns whether anybody does. */
static bool add_whispers(struct port *port, const struct total *total) {
    bool any = false;
    for (int i = 0; i < total->whispers; i++) {
        uint32_t to = total->whisper[i].to;
        if (to != port->sitting || total->whisper[i].seat == port->seat)
            continue;
        /* Asked for once more: who sits there may have said something else since. */
        const int16_t *said = bus_said(port->bus, total->whisper[i].seat, total->tick, &to);
        if (said && to == port->sitting)
            add(port->others, said), any = true;
    }
    return any;
}

/* Whether anybody else on the bus was heard a tick ago; then `others` has it. */
static bool hears_others(struct port *port) {
    if (port->bus < 0 || port->deaf)
        return false;
    if (port->others_at == tick)
        return port->any_others;
    port->others_at = tick, port->any_others = false;
    const struct total *total = bus_total(port->bus, tick - 1);
    if (!total)
        return false;
    uint32_t to = 0;
    const int16_t *own = bus_said(port->bus, port->seat, tick - 1, &to);
    if (to)
        own = NULL; /* It was a whisper, which the sum does not hold. */
    port->any_others = total->voices > (own != NULL);
    if (!port->any_others && !total->whispers)
        return false;
    for (int i = 0; i < SAMPLES; i++)
        port->others[i] = total->sum[i] - (own ? own[i] : 0);
    if (total->whispers)
        port->any_others |= add_whispers(port, total);
    return port->any_others;
}

static void notice_speech(struct port *port, bool is_loud) {
    port->loud = is_loud ? port->loud + 1 : 0;
    port->quiet = is_loud ? 0 : port->quiet + 1;
    if (!port->speaks && port->loud >= SPEAKING) {
        port->speaks = true;
        tell(port, SPEAKS, 0);
    } else if (port->speaks && port->quiet >= PAUSE) {
        port->speaks = false;
        tell(port, SILENT, 0);
    }
}

static int64_t energy_of(const int16_t *samples) {
    int64_t energy = 0;
    for (int i = 0; i < SAMPLES; i++)
        energy += (int32_t)samples[i] * samples[i];
    return energy;
}

/* Keep a frame for whoever listens: what was heard, with what the others on the bus said. */
static void keep(struct port *port, const int16_t *heard, const int32_t *others) {
    int16_t *to = port->ring[port->frames % RING];
    if (others) {
        int32_t mix[SAMPLES];
        for (int i = 0; i < SAMPLES; i++)
            mix[i] = others[i] + (heard ? heard[i] : 0);
        mix_down(&port->in, mix, to);
    } else if (heard) {
        memcpy(to, heard, sizeof port->ring[0]);
    } else {
        memset(to, 0, sizeof port->ring[0]);
    }
    port->energy[port->frames % RING] = heard || others ? energy_of(to) : 0;
    port->frames++;
}

/* Hear keys in the sound that comes in, or no more. */
void port_hear_keys(struct port *port, bool on) {
    if (on && !port->hears_keys)
        tones_open(&port->tones);
    port->hears_keys = on;
}

static void hear(struct port *port, const int16_t *heard) {
    port->heard_at = tick;
    if (port->hears_keys) {
        int key = tones_hear(&port->tones, port->said_keys ? NULL : heard);
        if (key >= 0)
            tell(port, KEY, key);
    }
    if (port->bus >= 0) {
        bool is_heard = heard && !port->muted;
        if (is_heard)
            bus_say(port->bus, port->seat, tick, heard, port->to);
        notice_speech(port, is_heard && !port->to && energy_of(heard) >= LOUD);
    }
    if (port->listeners)
        keep(port, heard, hears_others(port) ? port->others : NULL);
}

/* Begin (+1) or end (-1) to listen; returns the number of the next frame. */
uint64_t port_listen(struct port *port, int change) {
    port->listeners += change;
    if (port->listeners < 0)
        port->listeners = 0;
    return port->frames;
}

/* Copy what was heard since frame *from*, at most so many frames; returns how many.
 *
 * A frame that was asked for too late is gone: silence takes its place.
 */
int port_heard(struct port *port, uint64_t from, int16_t *samples, int64_t *energy, int most) {
    int copied = 0;
    for (uint64_t i = from; i < port->frames && copied < most; i++, copied++) {
        bool is_gone = port->frames - i > RING;
        if (is_gone)
            memset(samples + copied * SAMPLES, 0, sizeof port->ring[0]);
        else
            memcpy(samples + copied * SAMPLES, port->ring[i % RING], sizeof port->ring[0]);
        energy[copied] = is_gone ? 0 : port->energy[i % RING];
    }
    return copied;
}

/* The bridge wants a frame. */
int port_get(void *self, struct frame *frame) {
    struct port *port = self;
    int32_t mix[SAMPLES] = {0};
    bool bridged = port->lent && !port->alone; /* The loop runs the others. */
    bool keys = port->sounds[KEYS];
    bool any = bridged && play_all(port, mix);
    if (bridged && !keys && hears_others(port)) {
        any = true;
        for (int i = 0; i < SAMPLES; i++)
            mix[i] += port->others[i];
    }
    frame->type = any ? FRAME_AUDIO : FRAME_NONE;
    frame->size = any ? SAMPLES * sizeof(int16_t) : 0;
    if (any)
        mix_down(&port->out, mix, frame->buf);
    return 0;
}

/* The bridge has a frame. */
int port_put(void *self, struct frame *frame) {
    struct port *port = self;
    if (port->lent && !port->alone)
        hear(port, frame->type == FRAME_AUDIO && frame->size == SAMPLES * sizeof(int16_t) ? frame->buf : NULL);
    return 0;
}

/* Run a port that has no call: it plays into its seat, and hears the whole bus with itself. */
static void run_alone(struct port *port) {
    int32_t mix[SAMPLES] = {0};
    int16_t said[SAMPLES];
    if (play_all(port, mix)) {
        mix_down(&port->out, mix, said);
        bus_say(port->bus, port->seat, tick, said, 0);
    }
    if (port->listeners) {
        const struct total *total = bus_total(port->bus, tick - 1);
        keep(port, NULL, total && total->voices ? total->sum : NULL);
    }
}

/* Do what is left of a tick when the bridge has had its turn. */
void ports_tick(void) {
    for (int i = 0; i < made; i++) {
        struct port *port = ports[i];
        if (!port->lent)
            continue;
        if (port->alone)
            run_alone(port);
        else if (port->heard_at != tick && (port->listeners || port->speaks || port->hears_keys))
            hear(port, NULL); /* Its call has no sound just now: the time of a recording goes on. */
    }
}

/* So many ticks were skipped, since the loop was late: the time of recordings goes on, in silence.
 *
 * A process that was stopped for hours records a minute of it.
 */
void ports_skip(uint64_t many) {
    many = many < SKIPPED ? many : SKIPPED;
    uint64_t in_ring = many < RING ? many : RING;
    for (int i = 0; i < made; i++) {
        struct port *port = ports[i];
        if (!port->lent || !port->listeners)
            continue;
        port->frames += many - in_ring;
        for (uint64_t n = 0; n < in_ring; n++)
            keep(port, NULL, NULL);
    }
}

void ports_set_tick(uint64_t now) {
    tick = now;
}
