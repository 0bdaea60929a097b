/* The gate: every SIP packet passes here before the library parses it.
 *
 * The library cannot be rebuilt, but it calls its own functions, and those of the C library, by way of a
 * table (the procedure linkage of ELF), and that can be written: `gate_open` puts functions of ours where
 * some of its own stand.  They read datagrams whole where the library would cut them, put the messages of
 * a stream together, ask `judge` (Python) what is to become of each message, never look up a name, close
 * idle connections before others are shut out, and hear of it when the library asserts.
 *
 * All of it runs in the worker's one thread, but for the assertions, which other threads may meet.
 */
#define _GNU_SOURCE
#include "sound.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PACKET = 4000,       /* PJSIP_MAX_PKT_LEN: what the library reads at once, and holds */
    WHOLE = 65536,       /* what a datagram may have */
    MESSAGE = 16384,     /* what a message on a stream may have */
    AT_TRANSPORT = 8,    /* in pjsip_rx_data: the transport, */
    AT_PACKET = 320,     /* the packet, */
    AT_LENGTH = 4328,    /* and its length; `works` says whether it is as we know it */
    DISGUISES = 64,      /* calls whose sound comes from another port */
    STREAMS = 64,        /* connections */
    CONNECTIONS = 24,    /* that are kept open of those that others made */
    EACH = 6,            /* of one source, where there are many */
    ACCEPTS = 20,        /* that are taken within */
    ACCEPTS_MS = 700,    /* so many milliseconds: the library has 64 places, and a closed one rests for 500 */
    SOURCES = 256,       /* that are counted */
    PACE = 500,          /* messages of one source in a second: each takes some 0.2 ms */
    NAMES = 256,
    NAME = 256,
    DEPTH = 32
};

/* What is to become of a message: 0 nothing, n > 0 the n bytes of *out*, n < 0 they are sent back. */
typedef int (*judge_fn)(const char *message, int length, const char *source, int port, char *out, int room);
/* An assertion failed, while *message* was being handled; *survived*: nothing ends by it. */
typedef void (*tell_fn)(const char *what, const char *message, int length, int survived);

static judge_fn judge;
static tell_fn tell;
static int trusted; /* all comes by a front of ours, on loopback */
static int64_t dropped; /* packets that were plainly no SIP */

/* What stands in the table otherwise. */
static ssize_t (*their_receive)(void *, char *);
static ssize_t (*their_recvfrom)(int, void *, size_t, int, struct sockaddr *, socklen_t *);
static ssize_t (*their_recv)(int, void *, size_t, int);
static int (*their_accept)(int, struct sockaddr *, socklen_t *);
static int (*their_close)(int);
static int (*their_getaddrinfo)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
static void (*their_push)(void *);
static void (*their_pop)(void *);
static int (*their_ensure)(void);
static void (*their_release)(int);

/* The last read. */
static struct {
    int fd;
    bool datagram;
    char *buffer;
    ssize_t length;
    struct sockaddr_in from;
    socklen_t from_length;
} last = {.fd = -1};
static char whole[WHOLE + 1];

/* Sound from another port than the SDP names (not symmetric, RFC 4961).  The library sends to whoever it
 * hears, and such a far end hears elsewhere: its packets are made to come from where the SDP says.  The
 * first port that speaks is it; others of its address are strangers. */

static struct {
    int fd;
    struct sockaddr_in said;
    in_port_t speaker;
} disguises[DISGUISES];
static int disguised;

static int disguise_of(int fd) {
    for (int i = 0; i < disguised; i++)
        if (disguises[i].fd == fd)
            return i;
    return -1;
}

/* Have what comes at *fd* from *address* seem to come from *port*; 0: let it be as it is. */
bool gate_disguise(int fd, uint32_t address, int port) {
    int i = disguise_of(fd);
    if (!port) {
        if (i >= 0)
            disguises[i] = disguises[--disguised];
        return true;
    }
    if (i < 0 && disguised == DISGUISES)
        return false;
    if (i < 0)
        i = disguised++;
    memset(&disguises[i], 0, sizeof disguises[i]);
    disguises[i].fd = fd;
    disguises[i].said.sin_addr.s_addr = htonl(address);
    disguises[i].said.sin_port = htons((uint16_t)port);
    return true;
}

/* The port that speaks at *fd*; 0: none has. */
int gate_speaker(int fd) {
    int i = disguise_of(fd);
    return i < 0 ? 0 : ntohs(disguises[i].speaker);
}

static ssize_t disguised_recvfrom(int fd, unsigned char *buffer, size_t room, int flags, struct sockaddr *from,
                                  socklen_t *size) {
    int i = from ? disguise_of(fd) : -1;
    socklen_t offered = size ? *size : 0;
    for (;;) {
        ssize_t got = their_recvfrom(fd, buffer, room, flags, from, size);
        if (i < 0 || got < 0 || *size != sizeof(struct sockaddr_in))
            return got;
        struct sockaddr_in source;
        memcpy(&source, from, sizeof source);
        if (source.sin_addr.s_addr != disguises[i].said.sin_addr.s_addr)
            return got;
        if (!disguises[i].speaker && got >= 12 && buffer[0] >> 6 == 2)
            disguises[i].speaker = source.sin_port;
        if (source.sin_port == disguises[i].speaker) {
            source.sin_port = disguises[i].said.sin_port;
            memcpy(from, &source, sizeof source);
            return got;
        }
        *size = offered;
    }
}

static ssize_t our_recvfrom(int fd, void *buffer, size_t room, int flags, struct sockaddr *from, socklen_t *size) {
    if (room != PACKET || !from)
        return disguised_recvfrom(fd, buffer, room, flags, from, size);
    if (loop_is_due()) {
        errno = EAGAIN; /* It is still there after the tick. */
        return -1;
    }
    socklen_t offered = *size;
    ssize_t got = their_recvfrom(fd, whole, WHOLE, flags, from, size);
    if (got < 0)
        return got;
    last.fd = fd, last.datagram = true, last.buffer = buffer, last.length = got;
    memset(&last.from, 0, sizeof last.from);
    last.from_length = *size <= sizeof last.from && *size <= offered ? *size : 0;
    memcpy(&last.from, from, last.from_length);
    ssize_t fits = got < PACKET ? got : PACKET;
    memcpy(buffer, whole, (size_t)fits);
    return fits;
}

/* Connections that others made to us, so that those that are idle give way. */

static struct {
    int fd;
    uint32_t source;
    bool spoke; /* a message that could be read */
    int64_t at;
} connections[STREAMS * 2];
static int connected;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int connection_of(int fd) {
    for (int i = 0; i < connected; i++)
        if (connections[i].fd == fd)
            return i;
    return -1;
}

static void forget(int fd) {
    int i = connection_of(fd);
    if (i >= 0)
        connections[i] = connections[--connected];
}

/* Of those of *source* (0: of all), end the one that has been silent for longest, silent ones first. */
static void end_one(uint32_t source) {
    int worst = -1;
    for (int i = 0; i < connected; i++) {
        if (source && connections[i].source != source)
            continue;
        if (worst < 0 || connections[i].spoke < connections[worst].spoke ||
            (connections[i].spoke == connections[worst].spoke && connections[i].at < connections[worst].at))
            worst = i;
    }
    if (worst >= 0) {
        shutdown(connections[worst].fd, SHUT_RDWR); /* The library reads its end, and closes it. */
        forget(connections[worst].fd);
    }
}

static int our_accept(int fd, struct sockaddr *from, socklen_t *size) {
    static int64_t taken[ACCEPTS];
    static unsigned accepted, refused;
    int made = their_accept(fd, from, size);
    if (made < 0)
        return made;
    if (now() - taken[accepted % ACCEPTS] < ACCEPTS_MS && accepted >= ACCEPTS) {
        their_close(made);
        /* It listens no more after 50 times the same error. */
        errno = refused++ % 2 ? EAGAIN : ECONNABORTED;
        return -1;
    }
    taken[accepted++ % ACCEPTS] = now();
    struct sockaddr_in peer = {0};
    socklen_t length = sizeof peer;
    if (getpeername(made, (struct sockaddr *)&peer, &length) || peer.sin_family != AF_INET)
        return made;
    uint32_t source = peer.sin_addr.s_addr;
    int same = 0;
    for (int i = 0; i < connected; i++)
        same += connections[i].source == source;
    if (connected >= CONNECTIONS)
        end_one(same >= EACH ? source : 0);
    forget(made);
    if (connected < (int)(sizeof connections / sizeof *connections)) {
        connections[connected].fd = made, connections[connected].source = source;
        connections[connected].spoke = false, connections[connected++].at = now();
    }
    return made;
}

static int our_close(int fd) {
    gate_disguise(fd, 0, 0);
    forget(fd);
    return their_close(fd);
}

static ssize_t our_recv(int fd, void *buffer, size_t room, int flags) {
    ssize_t got = their_recv(fd, buffer, room, flags);
    if (got > 0) {
        last.fd = fd, last.datagram = false, last.buffer = buffer, last.length = got;
        memset(&last.from, 0, sizeof last.from);
        last.from_length = sizeof last.from;
        if (getpeername(fd, (struct sockaddr *)&last.from, &last.from_length))
            last.from_length = 0;
    }
    return got;
}

/* Names.  A name in a packet means the address that the packet came from: no name server is asked, for
 * the library stands still while one does not answer. */

static struct {
    char name[NAME];
    char address[INET_ADDRSTRLEN];
} names[NAMES];
static unsigned learned;

void gate_learn(const char *name, const char *address) {
    if (strlen(name) >= NAME || strlen(address) >= INET_ADDRSTRLEN)
        return;
    unsigned at = learned < NAMES ? learned : NAMES;
    for (unsigned i = 0; i < at; i++)
        if (!strcasecmp(names[i].name, name)) {
            strcpy(names[i].address, address);
            return;
        }
    at = learned++ % NAMES;
    if (learned == 2 * NAMES)
        learned = NAMES; /* the table is full, and is written from its beginning again */
    strcpy(names[at].name, name);
    strcpy(names[at].address, address);
}

static int our_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                           struct addrinfo **found) {
    struct addrinfo numeric = {0};
    if (hints)
        numeric = *hints;
    numeric.ai_flags |= AI_NUMERICHOST;
    for (unsigned i = 0; name && i < NAMES; i++)
        if (names[i].name[0] && !strcasecmp(names[i].name, name))
            return their_getaddrinfo(names[i].address, service, &numeric, found);
    return their_getaddrinfo(name, service, &numeric, found);
}

static struct hostent *our_gethostbyname(const char *name) {
    static struct in_addr address;
    static char *addresses[2] = {(char *)&address, NULL}, *aliases[1] = {NULL}, known[NAME];
    static struct hostent host = {known, aliases, AF_INET, sizeof address, addresses};
    if (strlen(name) >= NAME || !inet_aton(name, &address))
        return NULL;
    strcpy(known, name);
    return &host;
}

/* Assertions.
 *
 * One that fails while a packet is being handled ends that packet alone, where it can: the stack is left
 * as if the library had returned.  What it had locked stays so, but its locks are those of this one
 * thread, which may lock again; whoever had more to do with that call does without.  The worker is told,
 * and takes no more calls.  Where Python is on the stack, or another thread, or no packet, nothing helps.
 */

static _Thread_local int in_python;   /* how deep the library's callbacks are */
static _Thread_local bool handling;
static sigjmp_buf way_out;
static void *frames[DEPTH];           /* of the library's exceptions */
static int frames_open;
static const char *message;
static int message_length;

static int our_ensure(void) {
    in_python++;
    return their_ensure();
}

static void our_release(int state) {
    in_python--;
    their_release(state);
}

static void our_push(void *frame) {
    if (handling && frames_open < DEPTH)
        frames[frames_open] = frame;
    frames_open += handling;
    their_push(frame);
}

static void our_pop(void *frame) {
    if (handling && frames_open)
        frames_open--;
    their_pop(frame);
}

static _Noreturn void our_assert_fail(const char *what, const char *file, unsigned line, const char *function) {
    static _Atomic bool failed;
    static char said[512];
    bool survives = handling && !in_python && frames_open < DEPTH;
    const char *name = strrchr(file, '/');
    if (!atomic_exchange(&failed, true)) {
        snprintf(said, sizeof said, "%.100s:%u: %.100s: %.200s", name ? name + 1 : file, line, function, what);
        if (tell)
            tell(said, handling ? message : "", handling ? message_length : 0, survives);
    }
    if (!survives)
        abort();
    atomic_store(&failed, false);
    while (frames_open)
        their_pop(frames[--frames_open]);
    siglongjmp(way_out, 1);
}

/* Messages. */

static void hand_on(void *manager, char *received, const char *text, int length) {
    memcpy(received + AT_PACKET, text, (size_t)length);
    *(ssize_t *)(received + AT_LENGTH) = length;
    message = text, message_length = length, frames_open = 0;
    handling = true;
    if (!sigsetjmp(way_out, 0))
        their_receive(manager, received);
    handling = false;
}

static void send_back(const char *text, int length) {
    if (last.fd < 0)
        return;
    if (last.datagram)
        sendto(last.fd, text, (size_t)length, MSG_DONTWAIT, (struct sockaddr *)&last.from, last.from_length);
    else
        send(last.fd, text, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Whether a first line can be one of SIP: all else is not worth a question. */
static bool looks_like_sip(const char *text, int length) {
    const char *end = memchr(text, '\n', (size_t)length);
    if (!end || length < 20)
        return false;
    for (const char *at = text; at < end; at++)
        if ((unsigned char)*at < ' ' && *at != '\r' && *at != '\t')
            return false;
    return memmem(text, (size_t)(end - text), "SIP/", 4) != NULL;
}

/* Whether the source of the last packet may ask for more of our time. */
static bool in_pace(void) {
    static struct {
        uint32_t source;
        int32_t left;
        int64_t at;
    } sources[SOURCES];
    uint32_t source = last.from.sin_addr.s_addr;
    if (trusted && ntohl(source) == INADDR_LOOPBACK)
        return true;
    uint32_t at = (source * 2654435761u) % SOURCES;
    int64_t time = now(), more = (time - sources[at].at) * PACE / 1000;
    if (sources[at].source != source)
        sources[at].source = source, sources[at].left = PACE, sources[at].at = time;
    else if (more > 0) {
        sources[at].left = sources[at].left + more < PACE ? (int32_t)(sources[at].left + more) : PACE;
        sources[at].at = time;
    }
    if (!sources[at].left)
        return false;
    sources[at].left--;
    return true;
}

static bool pass(void *manager, char *received, const char *text, int length) {
    static char out[PACKET];
    if (!looks_like_sip(text, length) || !in_pace()) {
        dropped++;
        return false;
    }
    char source[INET_ADDRSTRLEN] = "";
    inet_ntop(AF_INET, &last.from.sin_addr, source, sizeof source);
    int verdict = judge(text, length, source, ntohs(last.from.sin_port), out, PACKET - 1);
    if (verdict > 0)
        hand_on(manager, received, out, verdict);
    else if (verdict < 0)
        send_back(out, -verdict);
    return verdict != 0;
}

/* What has come on a stream, until it is a message. */

static struct stream {
    void *transport;
    int port;
    int length;
    int64_t at;
    char *text;
} streams[STREAMS];

static struct stream *stream_of(void *transport) {
    int port = ntohs(last.from.sin_port);
    struct stream *oldest = &streams[0];
    for (int i = 0; i < STREAMS; i++) {
        if (streams[i].text && streams[i].transport == transport && streams[i].port == port)
            return &streams[i];
        if (streams[i].at < oldest->at)
            oldest = &streams[i];
    }
    if (!oldest->text && !(oldest->text = malloc(MESSAGE)))
        return NULL;
    oldest->transport = transport, oldest->port = port, oldest->length = 0;
    return oldest;
}

/* The length of the header of that name in a head, such as "content-length"; -1 where there is none. */
static long content_length(const char *text, const char *end) {
    for (const char *line = memchr(text, '\n', (size_t)(end - text)); line && ++line < end;
         line = memchr(line, '\n', (size_t)(end - line))) {
        size_t name = 0;
        if (end - line > 14 && !strncasecmp(line, "content-length", 14))
            name = 14;
        else if ((*line | 32) == 'l' && end - line > 1 && (line[1] == ':' || line[1] == ' ' || line[1] == '\t'))
            name = 1;
        if (!name)
            continue;
        const char *at = line + name;
        while (at < end && (*at == ' ' || *at == '\t'))
            at++;
        if (at >= end || *at++ != ':')
            continue;
        while (at < end && (*at == ' ' || *at == '\t'))
            at++;
        long value = 0;
        if (at >= end || *at < '0' || *at > '9')
            return -1;
        while (at < end && *at >= '0' && *at <= '9' && value < 1000000)
            value = value * 10 + (*at++ - '0');
        return value;
    }
    return -1;
}

/* How long the message is that *text* begins with; 0: more is to come; -1: it can be none. */
static int framed(const char *text, int length) {
    const char *blank = memmem(text, (size_t)length, "\r\n\r\n", 4);
    if (!blank)
        return length >= MESSAGE ? -1 : 0;
    long body = content_length(text, blank + 2);
    long all = (blank - text) + 4 + body;
    if (body < 0 || all > MESSAGE)
        return -1;
    return all <= length ? (int)all : 0;
}

/* Take what came on a stream; where it can be no message, the connection is of no use any more. */
static void take_stream(void *manager, char *received, const char *data, int length) {
    struct stream *stream = stream_of(*(void **)(received + AT_TRANSPORT));
    if (!stream)
        return;
    stream->at = now();
    int known = connection_of(last.fd);
    while (length > 0) {
        int fits = MESSAGE - stream->length < length ? MESSAGE - stream->length : length;
        memcpy(stream->text + stream->length, data, (size_t)fits);
        stream->length += fits, data += fits, length -= fits;
        int at = 0, one = 0;
        for (;;) {
            while (at < stream->length && (stream->text[at] == '\r' || stream->text[at] == '\n'))
                at++;
            if ((one = framed(stream->text + at, stream->length - at)) <= 0)
                break;
            if (pass(manager, received, stream->text + at, one) && known >= 0) {
                connections[known].spoke = true;
                connections[known].at = now();
            }
            known = connection_of(last.fd);
            at += one;
        }
        stream->length -= at;
        memmove(stream->text, stream->text + at, (size_t)stream->length);
        if (one < 0) {
            dropped++;
            stream->length = 0;
            shutdown(last.fd, SHUT_RDWR);
            return;
        }
    }
    if (!stream->length)
        stream->at = 0;
}

static ssize_t our_receive(void *manager, char *received) {
    ssize_t length = *(ssize_t *)(received + AT_LENGTH);
    char *packet = received + AT_PACKET;
    if (length <= 0 || length > PACKET)
        return length;
    if (last.datagram && last.buffer == packet) {
        int at = 0, all = (int)last.length;
        while (at < all && (whole[at] == '\r' || whole[at] == '\n' || !whole[at]))
            at++;
        if (at < all)
            pass(manager, received, whole + at, all - at);
    } else {
        /* What the library reads behind what it has kept: nothing is kept, for all of it is taken. */
        static char data[PACKET];
        memcpy(data, packet, (size_t)length);
        take_stream(manager, received, data, (int)length);
    }
    *(ssize_t *)(received + AT_LENGTH) = length;
    return length;
}

void gate_trust(int on) {
    trusted = on;
}

int64_t gate_dropped(void) {
    return dropped;
}

/* The table. */

static void **slot_of(const struct link_map *map, const char *name) {
    const char *strings = NULL;
    const ElfW(Sym) *symbols = NULL;
    const ElfW(Rela) *entries = NULL;
    size_t bytes = 0;
    for (const ElfW(Dyn) *one = map->l_ld; one->d_tag != DT_NULL; one++) {
        if (one->d_tag == DT_STRTAB)
            strings = (const char *)one->d_un.d_ptr;
        else if (one->d_tag == DT_SYMTAB)
            symbols = (const ElfW(Sym) *)one->d_un.d_ptr;
        else if (one->d_tag == DT_JMPREL)
            entries = (const ElfW(Rela) *)one->d_un.d_ptr;
        else if (one->d_tag == DT_PLTRELSZ)
            bytes = one->d_un.d_val;
        else if (one->d_tag == DT_PLTREL && one->d_un.d_val != DT_RELA)
            return NULL;
    }
    if (!strings || !symbols || !entries)
        return NULL;
    for (size_t i = 0; i < bytes / sizeof *entries; i++)
        if (!strcmp(strings + symbols[ELF64_R_SYM(entries[i].r_info)].st_name, name))
            return (void **)(map->l_addr + entries[i].r_offset);
    return NULL;
}

static bool put(void *library, const char *name, void *ours, void **theirs) {
    void **slot = slot_of(library, name);
    void *known = dlsym(library, name);
    if (!known)
        known = dlsym(RTLD_DEFAULT, name); /* Python's own, which no library is linked with */
    if (!slot || !known)
        return false;
    if (theirs)
        *theirs = known;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t at = (uintptr_t)slot & ~(page - 1);
    if (mprotect((void *)at, page + sizeof *slot, PROT_READ | PROT_WRITE))
        return false;
    *slot = ours;
    return true;
}

/* Stand before the library, which `dlopen` has loaded at *path*.  Returns what cannot be had, or NULL. */
const char *gate_open(const char *path, judge_fn judges, tell_fn tells) {
    void *library = dlopen(path, RTLD_NOLOAD | RTLD_NOW);
    if (!library)
        return "dlopen";
    judge = judges, tell = tells;
    const struct {
        const char *name;
        void *ours, **theirs;
    } each[] = {
        {"recvfrom", (void *)our_recvfrom, (void **)&their_recvfrom},
        {"recv", (void *)our_recv, (void **)&their_recv},
        {"accept", (void *)our_accept, (void **)&their_accept},
        {"close", (void *)our_close, (void **)&their_close},
        {"getaddrinfo", (void *)our_getaddrinfo, (void **)&their_getaddrinfo},
        {"gethostbyname", (void *)our_gethostbyname, NULL},
        {"pj_push_exception_handler_", (void *)our_push, (void **)&their_push},
        {"pj_pop_exception_handler_", (void *)our_pop, (void **)&their_pop},
        {"PyGILState_Ensure", (void *)our_ensure, (void **)&their_ensure},
        {"PyGILState_Release", (void *)our_release, (void **)&their_release},
        {"__assert_fail", (void *)our_assert_fail, NULL},
        {"pjsip_tpmgr_receive_packet", (void *)our_receive, (void **)&their_receive},
    };
    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        if (!put(library, each[i].name, each[i].ours, each[i].theirs))
            return each[i].name;
    return NULL;
}
