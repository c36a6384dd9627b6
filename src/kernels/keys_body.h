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

/* By digits from the last to the first, those that are the same everywhere left out; stable. tag (or NULL) is moved along. */
static void NAME(sort)(vv_index n, KEY *x, KEY *room, int32_t *tag, int32_t *tag_room)
{
    enum { DIGITS = BITS / 8 };
    vv_index count[DIGITS][256];
    memset(count, 0, sizeof count);
    for (vv_index i = 0; i < n; i++) {
        UKEY u = (UKEY)x[i] ^ (UKEY)MIN_KEY;
        for (int d = 0; d < DIGITS; d++) count[d][u >> (8 * d) & 255]++;
    }
    KEY *from = x, *to = room;
    int32_t *tag_from = tag, *tag_to = tag_room;
    for (int d = 0; d < DIGITS; d++) {
        vv_index at = 0, *c = count[d];
        if (n == 0 || c[((UKEY)from[0] ^ (UKEY)MIN_KEY) >> (8 * d) & 255] == n) continue;
        for (int k = 0; k < 256; k++) {
            vv_index some = c[k];
            c[k] = at;
            at += some;
        }
        for (vv_index i = 0; i < n; i++) {
            vv_index place = c[((UKEY)from[i] ^ (UKEY)MIN_KEY) >> (8 * d) & 255]++;
            to[place] = from[i];
            if (tag) tag_to[place] = tag_from[i];
        }
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
