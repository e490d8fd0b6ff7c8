"""Runs a file's DAG to its end; a program for Airflow's environment."""

import runpy
import sys

if __name__ == "__main__":
    run = runpy.run_path(sys.argv[1])["dag"].test()
    states = [str(task.state) for task in run.get_task_instances()]
    sys.stdout.write(f"\n{run.state} {' '.join(states)}")
