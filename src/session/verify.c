/* Records of a journal that may have lost something are verified by all ranks, each a share of their bytes: a run that was killed leaves what its ranks have compressed since they last told the
 * disk to keep it, which one rank would read for as long as all have written. */
#include "base/log.h"
#include "exec/journal/journal.h"
#include "session/output/file.h"
#include "session/tasks.h"

#include <stdlib.h>

static const vv_bytes worth_asking = 1 << 20; /* for a rank */

/* The coordinator's view. Rank r has records [first[r], first[r + 1]). */
typedef struct verifying {
    const char *directory;
    vv_index *first;
    const vv_saved *const *record;
    bool *whole;
} verifying;

static void divide(vv_index n, const vv_saved *const record[], int ranks, vv_index first[])
{
    vv_bytes all = 0, before = 0;
    int rank = 0;
    for (vv_index i = 0; i < n; i++) all += record[i]->size;
    for (vv_index i = 0; i < n; i++) {
        while (rank < ranks && (double)before >= (double)all / ranks * rank) first[rank++] = i;
        before += record[i]->size;
    }
    while (rank <= ranks) first[rank++] = n;
}

static vv_status ask(vv_net *net, int rank, const verifying *v)
{
    vv_buf b = {0};
    vv_buf_put_i64(&b, vv_log_get());
    vv_buf_put_string(&b, v->directory);
    vv_buf_put_i64(&b, v->first[rank + 1] - v->first[rank]);
    for (vv_index i = v->first[rank]; i < v->first[rank + 1]; i++) {
        const vv_saved *s = v->record[i];
        const int64_t word[] = {s->run, s->rank, s->done, s->at, s->size, (int64_t)s->sum};
        for (int k = 0; k < 6; k++) vv_buf_put_i64(&b, word[k]);
    }
    vv_status status = vv_buf_status(&b);
    if (status == VV_OK) status = vv_net_send_copy(net, rank, VV_TAG_VERIFY, b.data, (vv_bytes)b.size);
    vv_buf_free(&b);
    return status;
}

static vv_status take(void *context, const vv_message *m)
{
    verifying *v = context;
    const char *whole = m->data;
    if (m->size != v->first[m->from + 1] - v->first[m->from])
        return vv_fail(VV_ERR_INTERNAL, "rank %d has verified something else", m->from);
    for (vv_index i = 0; i < m->size; i++) v->whole[v->first[m->from] + i] = whole[i] != 0;
    return VV_OK;
}

static vv_status verify_all(vv_session *s, verifying *v, int ranks)
{
    int asked = 0;
    vv_status status = ranks > 1 ? vv_tasks_pause(s) : VV_OK;
    for (int rank = 1; rank < ranks && status == VV_OK; rank++) {
        status = ask(s->net, rank, v);
        asked += status == VV_OK;
    }
    for (vv_index i = 0; i < v->first[1] && status == VV_OK; i++)
        v->whole[i] = vv_journal_whole(v->directory, v->record[i]);
    vv_failure before;
    vv_error_get(&before);
    vv_status heard = vv_answers_hear(s->net, VV_TAG_VERIFY, asked, take, v);
    if (status != VV_OK) vv_error_set(&before);
    return status == VV_OK ? heard : status;
}

vv_status vv_verify_records(void *session, const char *directory, vv_index n, const vv_saved *const record[],
                            bool whole[])
{
    vv_session *s = session;
    verifying v = {.directory = directory, .record = record, .whole = whole};
    vv_bytes all = 0;
    for (vv_index i = 0; i < n; i++) all += record[i]->size;
    int ranks = (int)vv_imax(1, vv_imin(s->net->size, all / worth_asking));
    VV_TRY(vv_new(&v.first, (size_t)ranks + 1, sizeof *v.first));
    divide(n, record, ranks, v.first);
    vv_say(VV_LOG_INFO, "verifies %lld records of the journal, %lld bytes, on %d ranks", (long long)n, (long long)all,
           ranks);
    vv_status status = verify_all(s, &v, ranks);
    free(v.first);
    return status;
}

/* --- the other ranks --- */

vv_status vv_verify_serve(vv_net *net, const vv_message *m)
{
    vv_reader r = {.data = m->data, .size = (size_t)m->size};
    vv_buf whole = {0};
    vv_log_set((vv_log_level)vv_read_i64(&r));
    const char *directory = vv_read_string(&r);
    int64_t n = vv_read_i64(&r);
    for (int64_t i = 0; i < n && !r.failed; i++) {
        vv_saved s = {.run = (int)vv_read_i64(&r), .rank = (int)vv_read_i64(&r)};
        s.done = vv_read_i64(&r) != 0;
        s.at = vv_read_i64(&r);
        s.size = vv_read_i64(&r);
        s.sum = (uint64_t)vv_read_i64(&r);
        char good = !r.failed && vv_journal_whole(directory, &s);
        vv_buf_bytes(&whole, &good, 1);
    }
    vv_status status = vv_net_send_surely(net, m->from, VV_TAG_VERIFY, whole.data, (vv_bytes)whole.size);
    vv_buf_free(&whole);
    return status;
}
