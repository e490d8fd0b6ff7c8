"""Print the table of figures: `python -m tests.calibration [gaps of each kind] [seed]`."""

import sys

from tests.calibration.figures import COUNT, SEED, table

given = [int(word) for word in sys.argv[1:]] + [COUNT, SEED][len(sys.argv) - 1 :]
sys.stdout.write("\n".join(table(*given)) + "\n")
