/* SPDX-License-Identifier: MIT */
/* Accounts of threads: see account.h. */
#include "config.h"

#include "account.h"

enum {
    SHARE_PART = 8,     /* of its period may a sample weigh more, or less */
    FORGOTTEN_PART = 8, /* of what is owed, by stretch: so a mistake ends */
};

void account_begin(struct account *account, uint64_t now_ns)
{
    account->started = true;
    account->at_ns = account->told_at_ns = now_ns;
}

/* One look alone may fall into a sleep, in which nobody queues. */
void account_queued(struct account *account, int64_t cpu_ns, int64_t delay_ns)
{
    account->lately_cpu_ns += cpu_ns - account->lately_cpu_ns / 4;
    account->lately_delay_ns += delay_ns - account->lately_delay_ns / 4;
    account->contended = account->lately_delay_ns > account->lately_cpu_ns / 16;
    account->looked = true;
}

double account_cpu_share(const struct account *account)
{
    double cpu_ns = (double)account->lately_cpu_ns;

    return cpu_ns > 0 ? cpu_ns / (cpu_ns + (double)account->lately_delay_ns) : 1;
}

uint64_t account_weight(struct account *account, uint64_t period_ns)
{
    int64_t weight_ns = (int64_t)period_ns;

    if (account->correction_ns < 0) {
        weight_ns /= 2;
        account->correction_ns += weight_ns;
    } else {
        weight_ns += account->correction_ns;
        account->correction_ns = 0;
    }
    account->told_cpu_ns += (uint64_t)weight_ns;
    return (uint64_t)weight_ns;
}

uint64_t account_weight_exact(struct account *account, uint64_t cpu_ns)
{
    uint64_t used_ns = cpu_ns - account->first_cpu_ns;
    uint64_t weight_ns = used_ns > account->told_cpu_ns ? used_ns - account->told_cpu_ns : 0;

    account->told_cpu_ns += weight_ns;
    account->correction_ns = 0;
    return weight_ns;
}

int64_t account_settle(struct account *account, uint64_t period_ns)
{
    /* Less is the remainder of periods whose samples are on their way. */
    int64_t tolerated_ns = ACCOUNT_TOLERATED * (int64_t)period_ns;
    int64_t owed_ns = 0;

    if (account->started)
        owed_ns = (int64_t)(account->schedstat.cpu_ns - account->first_cpu_ns) -
                  (int64_t)account->told_cpu_ns;
    if (owed_ns > -tolerated_ns && owed_ns < tolerated_ns)
        owed_ns = 0;
    account->correction_ns = owed_ns;
    return owed_ns;
}

uint64_t short_lives_weight(struct short_lives *lives, struct account *account, uint64_t period_ns)
{
    int64_t weight_ns = (int64_t)account_weight(account, period_ns);
    int64_t most_ns = (int64_t)period_ns / SHARE_PART, share_ns = lives->due_ns;

    if (account->looked) {
        lives->given_ns += weight_ns - (int64_t)period_ns;
        return (uint64_t)weight_ns;
    }
    if (share_ns > most_ns)
        share_ns = most_ns;
    if (share_ns < -most_ns)
        share_ns = -most_ns;
    lives->due_ns -= share_ns;
    account->told_cpu_ns += (uint64_t)share_ns;
    return (uint64_t)(weight_ns + share_ns);
}

void short_lives_settle(struct short_lives *lives, int64_t used_ns, uint64_t told_ns,
                        int64_t tolerated_ns)
{
    lives->owed_ns += used_ns - (int64_t)told_ns - lives->owed_ns / FORGOTTEN_PART;
    lives->given_ns -= lives->given_ns / FORGOTTEN_PART;
    lives->due_ns = 0;
    if (lives->owed_ns > tolerated_ns)
        lives->due_ns = lives->owed_ns;
    if (lives->owed_ns < -tolerated_ns && lives->given_ns > 0)
        lives->due_ns = lives->owed_ns > -lives->given_ns ? lives->owed_ns : -lives->given_ns;
}
