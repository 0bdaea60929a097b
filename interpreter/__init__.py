"""Running scripts: effects, runs, the switchboard of live calls, traces, golden cases."""
