"""A bench for event processors: load them, shake them, and say what was lost, doubled, invented, reordered or late.

The tour, in the order of a run:

An event (`event`) of a mix (`mix`) is sent by a client (`client`) at the pace of a load (`load`): an agenda (`agenda`)
knows what is due (retries within a budget, `retry_budget`), a player (`player`) hands it out and keeps the journal, a
tally (`tally`) counts, and a driver
(`driver`) runs all that inside Locust with its options (`load_options`) and over its connections (`connection`), as a
process of its own. `inputs` draws corpus
and schedule beforehand.

What is tested is a target (`target`), told by its manifest (`manifest`; its processes have roles, `roles`, and whether
a scenario is `playable` is known from it alone) and run with a scenario's settings (`settings`), with an environment of
its own (`environments`) where it asks for one, on a stack (`stack`, `stacks`) of real servers with links of their own
(`toxiproxy`, mended by `recovery` when it wedges; `ports`), each a child process (`process`) that waits at a `gate`
until the undo journal names it, with a `mark` that its descendants inherit, so that a supervisor (`supervisor`), which
outlives the harness, finds all of them, and with logs that `log_bound` cuts; `liveness` notices when one fails
unordered (`exit_code` says how one ended); `undo` says what it takes back in servers that are not ours, `segments`
removes shared memory, `folders` are this user's own. Every session of the harness's own at PostgreSQL is opened by
`libpq`.

Meanwhile an injector (`injector`) plays a timeline (`timeline`, or drawn from a `storm`) of faults (`fault`, `faults`)
on the bench (`bench`); a sink (`sink`) counts who knocks, an exchange (`exchange`) is the harness's own look through a
link, a transfer (`transfer`) a longer one.

Every op (`op`) goes into a journal (`recorder`), with the time of a clock (`clock`); a probe (`probe`) reads health and
backlog (`backlog`), `drain` waits for the end, `observe` reads what was kept (by `kept_rows`; dead letters that only
the target can tell through `letters`), `transitions` what the breakers did. All lies in a run directory (`rundir`;
`again` is the command that plays it once more), beside the surroundings (`surroundings`).
Its files are written by `atomic` and read by
`foreign`, for they may be anybody's; an `answer` of the target's over HTTP is bounded too.

The history (`history`) is read from there alone; checks (`check`, `checks`) turn it into a verdict (`verdict`), a
life (`life`) tells what became of an event, the report (`report`) shows it, a result (`result`) is what gates read,
and a bound (`bound`) says what trials without a failure prove; a measure (`measure`) is a figure that is compared;
a difference (`difference`) is what is worse than it was, beyond the noise (`noise`) of trials.

A scenario (`scenario`) names all of it in one value, a profile (`profile`) several, a budget (`budget`) is asked of
their checks instead of their own; `run` plays it, a comparison (`comparison`) holds the runs of several targets,
`status` shows how it stands (`live` at a terminal); `cli` says the command line's arguments, `commands` does them,
`standing` is a target that was brought up, in a run or by `shaketable up`, `errors` what it says when something cannot
be, `plural` a number before its noun. `registry` and `bundled` find things by name, a `doctor` tries a target endpoint
by endpoint. Somebody's suite gates on a run by `pytest_plugin`, and sees it as `shaken`.
"""
