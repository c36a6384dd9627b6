/* Selection and sorting of keys, once for each width: keys.c defines KEY, UKEY, BITS, MIN_KEY, MAX_KEY and NAME(x). */

/* Keys within [lo, hi] to `to`, in order; *below: how many are less than lo. */
static vv_index NAME(filter)(vv_index n, const KEY *x, KEY lo, KEY hi, KEY *to, vv_index *below)
{
    vv_index k = 0, less = 0;
    for (vv_index i = 0; i < n; i++) { /* without branches: which way they would go is anyone's guess */
        KEY v = x[i];
        to[k] = v;
        k += (v >= lo) & (v <= hi);
        less += v < lo;
    }
    *below = less;
    return k;
}

static void NAME(insert_sort)(vv_index n, KEY *x)
{
    for (vv_index i = 1; i < n; i++) {
        KEY v = x[i];
        vv_index j = i;
        for (; j > 0 && x[j - 1] > v; j--) x[j] = x[j - 1];
        x[j] = v;
    }
}

/* The keys around which those of rank r lie, from a sorted sample; apart: how far, in samples. */
static void NAME(bracket)(vv_index n, const KEY *x, vv_index r, int apart, KEY *lo, KEY *hi)
{
    KEY sample[SAMPLE];
    int s = n < 8 * SAMPLE ? SAMPLE / 4 : SAMPLE;
    for (int i = 0; i < s; i++) sample[i] = x[(2 * i + 1) * n / (2 * s)];
    NAME(insert_sort)(s, sample);
    int at = (int)(r * s / n);
    *lo = at - apart < 0 && apart ? MIN_KEY : sample[at - apart < 0 ? 0 : at - apart];
    *hi = at + apart >= s && apart ? MAX_KEY : sample[at + apart >= s ? s - 1 : at + apart];
}

/* The key that would stand at r, were they sorted. Every round keeps what lies between two keys of a sample. Where that is most of them - there are many equal ones -
 * the next round is about one key, which ends it or leaves that key out. room: 2 n keys. */
static KEY NAME(select)(vv_index n, const KEY *x, vv_index r, KEY *room)
{
    KEY *half[2] = {room, room + n};
    for (int apart = APART, turn = 0;; turn ^= 1) {
        KEY lo, hi, *to = half[turn];
        vv_index below, some;
        if (n <= SMALL) {
            memcpy(to, x, (size_t)n * sizeof *x);
            NAME(insert_sort)(n, to);
            return to[r];
        }
        NAME(bracket)(n, x, r, apart, &lo, &hi);
        some = NAME(filter)(n, x, lo, hi, to, &below);
        if (r < below) {
            some = NAME(filter)(n, x, MIN_KEY, lo - 1, to, &(vv_index){0});
        } else if (r >= below + some) {
            r -= below + some;
            some = NAME(filter)(n, x, hi + 1, MAX_KEY, to, &(vv_index){0});
        } else if (lo == hi) {
            return lo;
        } else {
            r -= below;
        }
        apart = some > n / 2 ? 0 : APART;
        x = to;
        n = some;
    }
}

VV_KERNEL void NAME(above_body)(vv_index n, const KEY *x, KEY v, vv_index *most, KEY *least)
{
    vv_index k = 0;
    KEY next = MAX_KEY;
    for (vv_index i = 0; i < n; i++) {
        k += x[i] <= v;
        KEY w = x[i] > v ? x[i] : MAX_KEY;
        next = w < next ? w : next;
    }
    *most = k;
    *least = next;
}
CLONES(NAME(above), NAME(above_body), (vv_index n, const KEY *x, KEY v, vv_index *most, KEY *least),
       (n, x, v, most, least))

/* Those at r and at r + 1 (or the last one). */
static void NAME(select_two)(vv_index n, const KEY *x, vv_index r, KEY *room, KEY out[2])
{
    vv_index most;
    KEY least;
    out[0] = out[1] = NAME(select)(n, x, r, room);
    if (r + 1 >= n) return;
    NAME(above)[vv_cpu()](n, x, out[0], &most, &least);
    if (most < r + 2) out[1] = least;
}

/* --- sorting --- */

/* Insertion, stable; for a few. */
static void NAME(sort_few)(vv_index n, KEY *x, int32_t *tag)
{
    for (vv_index i = 1; i < n; i++) {
        KEY v = x[i];
        int32_t t = tag ? tag[i] : 0;
        vv_index j = i;
        for (; j > 0 && x[j - 1] > v; j--) {
            x[j] = x[j - 1];
            if (tag) tag[j] = tag[j - 1];
        }
        x[j] = v;
        if (tag) tag[j] = t;
    }
}

static void NAME(scatter)(vv_index n, const KEY *from, KEY *to, const int32_t *tag, int32_t *tag_to, int shift,
                          UKEY mask, vv_index *place)
{
    if (!tag) {
        for (vv_index i = 0; i < n; i++) to[place[((UKEY)from[i] ^ (UKEY)MIN_KEY) >> shift & mask]++] = from[i];
        return;
    }
    for (vv_index i = 0; i < n; i++) {
        vv_index at = place[((UKEY)from[i] ^ (UKEY)MIN_KEY) >> shift & mask]++;
        to[at] = from[i];
        tag_to[at] = tag[i];
    }
}

/* By digits of so many bits from `low` to `top`, the last one first; stable. */
static void NAME(sort_digits)(vv_index n, KEY *x, KEY *room, int32_t *tag, int32_t *tag_room, int low, int digits,
                              int bits)
{
    vv_index count[DIGITS][1 << WIDE], all = (vv_index)1 << bits;
    UKEY mask = ((UKEY)1 << bits) - 1, first = n > 0 ? (UKEY)x[0] ^ (UKEY)MIN_KEY : 0;
    for (int d = 0; d < digits; d++) memset(count[d], 0, (size_t)all * sizeof count[d][0]);
    for (vv_index i = 0; i < n; i++) {
        UKEY u = ((UKEY)x[i] ^ (UKEY)MIN_KEY) >> low;
        for (int d = 0; d < digits; d++) count[d][u >> (bits * d) & mask]++;
    }
    KEY *from = x, *to = room;
    int32_t *tag_from = tag, *tag_to = tag ? tag_room : NULL;
    for (int d = 0; d < digits; d++) {
        vv_index at = 0, *c = count[d];
        if (c[first >> (low + bits * d) & mask] == n) continue;
        for (vv_index k = 0; k < all; k++) {
            vv_index some = c[k];
            c[k] = at;
            at += some;
        }
        NAME(scatter)(n, from, to, tag_from, tag_to, low + bits * d, mask, c);
        KEY *k = from;
        from = to;
        to = k;
        int32_t *t = tag_from;
        tag_from = tag_to;
        tag_to = t;
    }
    if (from == x) return;
    memcpy(x, from, (size_t)n * sizeof *x);
    if (tag) memcpy(tag, tag_from, (size_t)n * sizeof *tag);
}

/* The number of bits behind those that all keys have in common. */
static int NAME(differing)(vv_index n, const KEY *x)
{
    UKEY differ = 0;
    int bits = 0;
    for (vv_index i = 0; i < n; i++) differ |= (UKEY)x[i] ^ (UKEY)x[0];
    for (; differ; differ >>= 1) bits++;
    return bits;
}

/* By the first bits in which keys differ: mostly they tell all of them apart. What they do not is sorted by the next ones; stretches of it are short, but for what has few different keys. tag (or NULL)
 * is moved along. */
static void NAME(sort)(vv_index n, KEY *x, KEY *room, int32_t *tag, int32_t *tag_room)
{
    if (n <= FEW) {
        NAME(sort_few)(n, x, tag);
        return;
    }
    bool wide = n >= SOME && n < MANY;
    int top = NAME(differing)(n, x), bits = wide ? WIDE : NARROW, most = wide ? DIGITS - 1 : DIGITS;
    int digits = (top + bits - 1) / bits < most ? (top + bits - 1) / bits : most;
    int low = top > bits * digits ? top - bits * digits : 0;
    if (top == 0) return;
    NAME(sort_digits)(n, x, room, tag, tag_room, low, digits, bits);
    for (vv_index i = 0, end; low > 0 && i < n; i = end) {
        for (end = i + 1; end < n && x[end] >> low == x[i] >> low;) end++;
        if (end - i > 1) NAME(sort)(end - i, x + i, room, tag ? tag + i : NULL, tag_room);
    }
}
