/* Keys in the sound itself: `ringful.media.engine.tones` says how they are told, and does the same in Python. */
#include "sound.h"

#include <string.h>

enum {
    HALF = SAMPLES / 2,
    TONES = 8, /* four low ones, and four high ones */
    HITS = 3,
    MISSES = 4
};

static const double ALONE = 0.80;            /* the share of the two tones in all that is heard */
static const double QUIET = 600.0 * 600 / 2; /* power of the weaker tone, at least */
static const double LOWER = 10.0, HIGHER = 6.3; /* by how much one of them may be louder */
static const double STEADY = 4.0;
static const double ASIDE = 0.024; /* how far from its frequency a tone may be */

/* Of each tone: hertz, and the cosine and the sine of what it turns in one sample. */
static const double tone[TONES][3] = {
    {697, 0.8538689046744509, 0.5204881301528917},  {770, 0.8226405180208598, 0.5685618507342639},
    {852, 0.78434349193341, 0.620326757976556},     {941, 0.7391022841200879, 0.6735932107796729},
    {1209, 0.5820520115136658, 0.8131515577633086}, {1336, 0.49818510533949084, 0.86707070116449},
    {1477, 0.3993091946133181, 0.9168163213519179}, {1633, 0.284266353387601, 0.9587453469674393},
};
/* What is added to look beside a low tone, and beside a high one. */
static const double step[2][3] = {
    {16, 0.9999210442038161, 0.012566039883352607},
    {28, 0.999758204436984, 0.021989376092505106},
};

static double window[SAMPLES], window_sum, window_power;
static double on[SAMPLES][2 * TONES];         /* cosine and sine, of all tones beside each other */
static double beside[TONES][SAMPLES][4];      /* the same below a tone, and above it */
static bool ready;

struct turn {
    double real, imaginary;
};

static struct turn turned(struct turn one, struct turn by) {
    return (struct turn){one.real * by.real - one.imaginary * by.imaginary,
                         one.real * by.imaginary + one.imaginary * by.real};
}

/* Tables, without what a system would have to lend for a sine. */
static void get_ready(void) {
    struct turn at = {0.9998072404820648, 0.0196336924606283}, by = {0.9992290362407229, 0.03925981575906861};
    for (int i = 0; i < SAMPLES; i++, at = turned(at, by)) {
        window[i] = 0.5 - 0.5 * at.real;
        window_sum += window[i], window_power += window[i] * window[i];
    }
    for (int n = 0; n < TONES; n++) {
        const double *more = step[n / 4];
        struct turn middle = {tone[n][1], tone[n][2]};
        struct turn below = turned(middle, (struct turn){more[1], -more[2]});
        struct turn above = turned(middle, (struct turn){more[1], more[2]});
        struct turn a = {1, 0}, b = {1, 0}, c = {1, 0};
        for (int i = 0; i < SAMPLES; i++) {
            beside[n][i][0] = window[i] * a.real, beside[n][i][1] = window[i] * a.imaginary;
            on[i][2 * n] = window[i] * b.real, on[i][2 * n + 1] = window[i] * b.imaginary;
            beside[n][i][2] = window[i] * c.real, beside[n][i][3] = window[i] * c.imaginary;
            a = turned(a, below), b = turned(b, middle), c = turned(c, above);
        }
    }
    ready = true;
}

static double squared(double real, double imaginary) {
    return real * real + imaginary * imaginary;
}

/* A square root, for which a system would have to be linked. */
static double root(double square) {
    uint64_t bits;
    double guess;
    if (square <= 0)
        return 0;
    memcpy(&bits, &square, sizeof bits);
    bits = (bits >> 1) + ((uint64_t)1023 << 51);
    memcpy(&guess, &bits, sizeof guess);
    for (int i = 0; i < 4; i++)
        guess = 0.5 * (guess + square / guess);
    return guess;
}

/* The power of a tone near its frequency, where there is *middle*; 0 where it is too far from it. */
static double peak(int n, const double *heard, double middle, double scale) {
    double sum[4] = {0};
    for (int i = 0; i < SAMPLES; i++)
        for (int part = 0; part < 4; part++)
            sum[part] += heard[i] * beside[n][i][part];
    double below = root(squared(sum[0], sum[1]) * scale), above = root(squared(sum[2], sum[3]) * scale);
    double between = root(middle), bend = below - 2 * between + above;
    if (bend >= 0)
        return 0;
    double aside = 0.5 * (below - above) / bend;
    double hertz = (aside < 0 ? -aside : aside) * step[n / 4][0];
    double top = between - 0.25 * (below - above) * aside;
    return hertz > ASIDE * tone[n][0] ? 0 : top * top;
}

static int loudest(const double *power) {
    int found = 0;
    for (int i = 1; i < 4; i++)
        if (power[i] > power[found])
            found = i;
    return found;
}

/* The key that 20 ms of sound are, -1: none; then *power* is that of its tones. */
static int key_in(const double *heard, double *power) {
    double all = 0, sum[2 * TONES] = {0}, middle[TONES];
    *power = 0;
    for (int i = 0; i < SAMPLES; i++)
        all += window[i] * heard[i] * window[i] * heard[i];
    all /= window_power;
    if (all < 2 * QUIET)
        return -1;
    for (int i = 0; i < SAMPLES; i++)
        for (int part = 0; part < 2 * TONES; part++)
            sum[part] += heard[i] * on[i][part];
    double scale = 2 / (window_sum * window_sum);
    for (int n = 0; n < TONES; n++)
        middle[n] = squared(sum[2 * n], sum[2 * n + 1]) * scale;
    int row = loudest(middle), column = loudest(middle + 4);
    if (middle[row] + middle[4 + column] < ALONE / 2 * all)
        return -1; /* However far beside they are, they are not loud enough. */
    double low = peak(row, heard, middle[row], scale);
    double high = peak(4 + column, heard, middle[4 + column], scale);
    if (low < QUIET || high < QUIET || low > high * LOWER || high > low * HIGHER || low + high < ALONE * all)
        return -1;
    *power = low + high;
    return 4 * row + column;
}

static int look(struct tones *tones, const double *heard) {
    double power;
    int key = key_in(heard, &power);
    bool steady = tones->power <= power * STEADY && power <= tones->power * STEADY;
    tones->hits = key < 0 ? 0 : key == tones->seen && steady ? tones->hits + 1 : 1;
    tones->seen = key, tones->power = power;
    tones->misses = key >= 0 && key == tones->down ? 0 : tones->misses + 1;
    if (tones->misses >= MISSES)
        tones->down = -1;
    if (tones->hits < HITS || key == tones->down)
        return -1;
    tones->down = key, tones->misses = 0;
    return key;
}

/* Begin to hear keys: none was heard before. */
void tones_open(struct tones *tones) {
    memset(tones, 0, sizeof *tones);
    tones->seen = tones->down = -1;
    if (!ready)
        get_ready();
}

/* Take a frame (NULL: silence); returns the key that it makes certain, by its row and column, or -1. */
int tones_hear(struct tones *tones, const int16_t *frame) {
    double heard[HALF + SAMPLES] = {0};
    for (int i = 0; i < HALF; i++)
        heard[i] = tones->before[i];
    for (int i = 0; frame && i < SAMPLES; i++)
        heard[HALF + i] = frame[i];
    for (int i = 0; i < HALF; i++)
        tones->before[i] = frame ? frame[HALF + i] : 0;
    int first = look(tones, heard), second = look(tones, heard + HALF);
    /* Three looks make a key: there cannot be two in one frame. */
    return first >= 0 ? first : second;
}
