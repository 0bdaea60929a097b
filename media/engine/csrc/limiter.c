/* A soft limit: many loud voices are turned down together, and not cut off.
 *
 * What fits into 16 bits passes sample for sample.  What does not is turned down over two milliseconds,
 * and comes back to its loudness within about a second.
 */
#include "sound.h"

enum { ATTACK = 16 };                 /* samples */
static const float RECOVERY = 0.02f; /* of full gain, a frame */

void mix_down(struct limiter *limiter, const int32_t *mix, int16_t *out) {
    int32_t high = 0, low = 0;
    for (int i = 0; i < SAMPLES; i++) {
        high = mix[i] > high ? mix[i] : high;
        low = mix[i] < low ? mix[i] : low;
    }
    int32_t peak = high > -(low + 1) ? high : -(low + 1);
    if (limiter->gain >= 1.0f && peak <= INT16_MAX) {
        for (int i = 0; i < SAMPLES; i++)
            out[i] = (int16_t)mix[i];
        return;
    }
    float fits = peak > INT16_MAX ? (float)INT16_MAX / (float)peak : 1.0f;
    float before = limiter->gain, after = before + RECOVERY;
    if (after > fits)
        after = fits;
    for (int i = 0; i < SAMPLES; i++) {
        float gain = i < ATTACK ? before + (after - before) * (float)i / ATTACK : after;
        float sample = (float)mix[i] * gain;
        out[i] = sample > INT16_MAX ? INT16_MAX : sample < INT16_MIN ? INT16_MIN : (int16_t)sample;
    }
    limiter->gain = after;
}
