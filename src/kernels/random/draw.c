/* Gamma numbers by rejection (Marsaglia and Tsang 2000), and everything else by gamma numbers, exactly: no table, no approximation.
 *
 *   beta      two gamma numbers, X / (X + Y)
 *   Poisson   the m-th arrival of a process is a gamma number: when it comes after `mean`, the m - 1 before it lie anywhere in it, a binomial number of
 *             them in time; else m arrivals are there already, and the rest of the time has its own (Ahrens and Dieter 1974)
 *   binomial  the middle one of the trials' uniform numbers in order is a beta number: it says on which side of it to go on
 *
 * so large counts take steps by their logarithm, and small ones are counted. Functions are SLEEF's portable ones: the same bits everywhere. */
#include "kernels/random/draw.h"

#include "kernels/random/normal.h"

#include <Random123/philox.h>
#include <sleef.h>

/* Bits of one element; word 3 of the counters keeps them apart from those of kinds that are made in groups. */
typedef struct stream {
    uint64_t seed, element;
    uint32_t block;
    int left; /* words of `word` that are not used */
    uint32_t word[4];
} stream;

static uint64_t next_bits(stream *s)
{
    if (s->left < 2) {
        philox4x32_ctr_t counter = {{(uint32_t)s->element, (uint32_t)(s->element >> 32), s->block++, 1}};
        philox4x32_key_t key = {{(uint32_t)s->seed, (uint32_t)(s->seed >> 32)}};
        philox4x32_ctr_t out = philox4x32(counter, key);
        memcpy(s->word, out.v, sizeof s->word);
        s->left = 4;
    }
    s->left -= 2;
    return (uint64_t)s->word[s->left + 1] << 32 | s->word[s->left];
}

static stream stream_of(const vv_random *r, uint64_t i)
{
    return (stream){.seed = r->seed, .element = i};
}

/* In (0, 1]. */
static double above_zero(stream *s)
{
    return 1 - unit(next_bits(s));
}

static double normal(stream *s)
{
    double x, y, u = above_zero(s);
    uint64_t circle = next_bits(s);
    two_normals(u, unit(circle << 2) * 2 - 1, circle >> 62, &x, &y);
    return x;
}

static double gamma_number(stream *s, double shape)
{
    double power = shape < 1 ? Sleef_cinz_expd1_u10purec(logarithm(above_zero(s)) / shape) : 1;
    double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = normal(s), v = 1 + c * x;
        if (v <= 0) continue;
        v = v * v * v;
        double u = above_zero(s);
        if (logarithm(u) < 0.5 * x * x + d - d * v + d * Sleef_cinz_logd1_u10purec(v)) return d * v * power;
    }
}

/* Of two tiny shapes both numbers may be 0: then one of them is 1 by their chances. */
static double beta_number(stream *s, double a, double b)
{
    double x = gamma_number(s, a), y = gamma_number(s, b);
    if (x + y > 0) return x / (x + y);
    return unit(next_bits(s)) * (a + b) < a ? 1 : 0;
}

/* Trials from one success to the next are counted: fast where there are few successes. */
static double count_successes(stream *s, double trials, double chance)
{
    double each = Sleef_cinz_log1pd1_u10purec(-chance), found = -1, at = 0;
    if (chance <= 0 || trials <= 0) return 0;
    if (chance >= 1) return trials;
    while (at <= trials) {
        at += floor(logarithm(above_zero(s)) / each) + 1;
        found++;
    }
    return found;
}

static double binomial_number(stream *s, double trials, double chance)
{
    enum { FEW = 16 };
    double sure = 0;
    while (trials * (chance < 0.5 ? chance : 1 - chance) > FEW) {
        double middle = floor((trials + 1) / 2), x = beta_number(s, middle, trials + 1 - middle);
        if (x <= chance) { /* the first `middle` ones are successes */
            sure += middle;
            trials -= middle;
            chance = x < 1 ? (chance - x) / (1 - x) : 0;
        } else {
            trials = middle - 1;
            chance = chance / x;
        }
    }
    if (chance <= 0.5) return sure + count_successes(s, trials, chance);
    return sure + trials - count_successes(s, trials, 1 - chance);
}

static double poisson_number(stream *s, double mean)
{
    enum { FEW = 16 };
    double sure = 0;
    while (mean > FEW) {
        double m = floor(mean * 0.875), arrival = gamma_number(s, m);
        if (arrival > mean) return sure + binomial_number(s, m - 1, mean / arrival);
        sure += m;
        mean -= arrival;
    }
    double time = -logarithm(above_zero(s));
    while (time < mean) {
        time -= logarithm(above_zero(s));
        sure++;
    }
    return sure;
}

double vv_draw_exponential(const vv_random *r, uint64_t i)
{
    stream s = stream_of(r, i);
    return -r->a * logarithm(above_zero(&s));
}

double vv_draw_gamma(const vv_random *r, uint64_t i)
{
    stream s = stream_of(r, i);
    return r->b * gamma_number(&s, r->a);
}

double vv_draw_beta(const vv_random *r, uint64_t i)
{
    stream s = stream_of(r, i);
    return beta_number(&s, r->a, r->b);
}

double vv_draw_poisson(const vv_random *r, uint64_t i)
{
    stream s = stream_of(r, i);
    return poisson_number(&s, r->a);
}

double vv_draw_binomial(const vv_random *r, uint64_t i)
{
    stream s = stream_of(r, i);
    return binomial_number(&s, r->a, r->b);
}
