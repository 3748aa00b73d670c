"""What this process has taken; needs nothing but Python."""

import resource
import sys


def cpu_seconds():
    """Return user and system seconds, those of ended children included."""
    found = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in found)


def peak_megabytes():
    """Return the greatest resident memory, that of ended children included."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(_own_peak(), children) / 1024


def _own_peak():
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    except OSError:
        # Elsewhere than on Linux. There this figure would begin with that of the parent.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1024 if sys.platform == "darwin" else peak
