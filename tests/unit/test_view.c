/* Views against naive look-ups: every element of every part, composed and not. */
#include "base/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static vv_index below(vv_index n)
{
    return rand() % n;
}

/* A random part over a target of this shape, from a source of shape out_shape. with_table: one dimension is looked up. */
static vv_part random_part(const vv_shape *target, vv_shape *source, bool with_table)
{
    vv_part p = {.nd = (int)below(4) + 1, .table_dim = -1};
    p.box.nd = target->nd;
    for (int d = 0; d < target->nd; d++) {
        p.box.lo[d] = below(target->n[d]);
        p.box.n[d] = 1 + below(target->n[d] - p.box.lo[d]);
    }
    int table_dim = with_table ? (int)below(p.nd) : -1;
    source->nd = p.nd;
    for (int d = 0; d < p.nd; d++) {
        p.dim[d] = d == table_dim ? (int)below(target->nd) : (int)below(target->nd + 1) - 1;
        vv_index reach = p.dim[d] < 0 ? 0 : p.box.n[p.dim[d]] - 1;
        vv_index stride = below(3) + 1;
        bool back = below(2);
        p.stride[d] = back ? -stride : stride;
        p.start[d] = (back ? reach * stride : 0) + below(3);
        source->n[d] = p.start[d] + (back ? 0 : reach * stride) + 1 + below(3);
        if (d != table_dim) continue;
        p.table_dim = d;
        assert_int_equal(vv_table_new(source->n[d], &p.table), VV_OK);
        source->n[d] = 1 + below(6);
        for (vv_index i = 0; i < p.table->n; i++) p.table->at[i] = below(source->n[d] + 1) - 1;
    }
    return p;
}

/* The source position of a target position; false when the part does not have it. */
static bool look_up(const vv_part *p, const vv_index w[], vv_index u[])
{
    for (int d = 0; d < p->box.nd; d++)
        if (w[d] < p->box.lo[d] || w[d] >= p->box.lo[d] + p->box.n[d]) return false;
    for (int d = 0; d < p->nd; d++) {
        u[d] = vv_part_index(p, d, p->dim[d] < 0 ? 0 : w[p->dim[d]]);
        if (u[d] < 0) return false;
    }
    return true;
}

static bool inside(const vv_box *b, const vv_index at[])
{
    for (int d = 0; d < b->nd; d++)
        if (at[d] < b->lo[d] || at[d] >= b->lo[d] + b->n[d]) return false;
    return true;
}

static vv_shape random_shape(void)
{
    vv_shape s = {.nd = (int)below(3) + 1};
    for (int d = 0; d < s.nd; d++) s.n[d] = below(6) + 1;
    return s;
}

static vv_box random_box(const vv_shape *s)
{
    vv_box b = {.nd = s->nd};
    for (int d = 0; d < s->nd; d++) {
        b.lo[d] = below(s->n[d]);
        b.n[d] = 1 + below(s->n[d] - b.lo[d]);
    }
    return b;
}

static void bounds_hold_all_elements(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 3000; round++) {
        vv_shape target = random_shape(), source;
        vv_part p = random_part(&target, &source, below(3) == 0);
        vv_box want = random_box(&target), from, some = random_box(&source), to, tight = {.nd = p.nd};
        bool needs = vv_part_source(&p, &want, &from), has = vv_part_target(&p, &some, &to), any = false;
        vv_index w[VV_MAX_DIMS] = {0}, u[VV_MAX_DIMS];
        do {
            if (!look_up(&p, w, u)) continue;
            for (int d = 0; d < p.nd; d++) assert_true(u[d] < source.n[d]);
            if (inside(&want, w)) {
                assert_true(needs && inside(&from, u));
                for (int d = 0; d < p.nd; d++) {
                    vv_index lo = any ? vv_imin(tight.lo[d], u[d]) : u[d];
                    vv_index hi = any ? vv_imax(tight.lo[d] + tight.n[d], u[d] + 1) : u[d] + 1;
                    tight.lo[d] = lo;
                    tight.n[d] = hi - lo;
                }
                any = true;
            }
            if (inside(&some, u)) assert_true(has && inside(&to, w));
        } while (vv_odometer(target.nd, target.n, w));
        if (any && p.table_dim < 0) /* exact along every dimension */
            for (int d = 0; d < p.nd; d++) {
                assert_int_equal(from.lo[d], tight.lo[d]);
                assert_int_equal(from.n[d], tight.n[d]);
            }
        vv_part_free(&p);
    }
}

static void composed_parts_look_up_twice(void **state)
{
    (void)state;
    srand(2);
    int composed = 0;
    for (int round = 0; round < 5000; round++) {
        vv_shape target = random_shape(), middle, source;
        vv_part outer = random_part(&target, &middle, below(4) == 0);
        vv_part inner = random_part(&middle, &source, below(4) == 0), both;
        inner.from = 7;
        bool any = false;
        vv_status status = vv_part_compose(&outer, &inner, &both, &any);
        vv_index w[VV_MAX_DIMS] = {0}, v[VV_MAX_DIMS], u[VV_MAX_DIMS], x[VV_MAX_DIMS];
        if (status != VV_OK) assert_int_equal(status, VV_ERR_UNSUPPORTED);
        if (status == VV_OK && any) assert_int_equal(both.from, 7);
        bool found = false;
        do {
            bool there = look_up(&outer, w, v) && look_up(&inner, v, u);
            found = found || there;
            if (status != VV_OK) continue;
            assert_int_equal(any && look_up(&both, w, x), there);
            for (int d = 0; there && d < inner.nd; d++) assert_int_equal(x[d], u[d]);
        } while (vv_odometer(target.nd, target.n, w));
        if (status == VV_OK && found) assert_true(any);
        composed += status == VV_OK && any;
        if (status == VV_OK) vv_part_free(&both);
        vv_part_free(&outer);
        vv_part_free(&inner);
    }
    assert_true(composed > 1000);
}

static void the_same_part_changes_nothing(void **state)
{
    (void)state;
    srand(3);
    for (int round = 0; round < 500; round++) {
        vv_shape target = random_shape(), source;
        vv_part p = random_part(&target, &source, below(3) == 0), same, before, after;
        bool any;
        vv_part_same(&target, &same);
        assert_int_equal(vv_part_compose(&same, &p, &before, &any), VV_OK);
        assert_true(any && vv_part_equal(&before, &p));
        vv_part_same(&source, &same);
        if (vv_part_compose(&p, &same, &after, &any) == VV_OK) assert_true(any && vv_part_equal(&after, &p));
        vv_part other;
        vv_part_copy(&p, &other);
        other.start[0]++;
        assert_false(vv_part_equal(&p, &other));
        vv_part_free(&p);
        vv_part_free(&other);
        vv_part_free(&before);
        vv_part_free(&after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_hold_all_elements),
        cmocka_unit_test(composed_parts_look_up_twice),
        cmocka_unit_test(the_same_part_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
