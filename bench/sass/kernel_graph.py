"""How long a graph of kernels takes on one GPU, where some of them run side by side.

A kernel starts a gap after the last one that it waits for. Alone it takes the longer of two times,
that of its instructions on the multiprocessors that its blocks fill and that of its bytes, and
besides it the time of the reads that its threads have to wait for one after the other. Kernels that
run at once share multiprocessors and bandwidth: where they ask for more than there is, all of them
are slowed by the same factor.
"""

import collections

# seconds: of its instructions, alone; width: the share of the multiprocessors that it fills in that
# time; bytes: that it reads and writes; reads: that are waited for, with nothing else to do.
Kernel = collections.namedtuple("Kernel", "name seconds width bytes reads")


class KernelGraph:
    def __init__(self, bandwidth, gap, latency):
        """bandwidth [byte/s]; gap [s] between a kernel and those that wait for it; latency [s] of a
        read."""
        self.bandwidth, self.gap, self.latency = bandwidth, gap, latency
        self.kernels, self.after = [], []

    def add(self, kernel, after=()):
        """Returns what later kernels can wait for: a list of one node."""
        self.kernels.append(kernel)
        self.after.append(list(after))
        return [len(self.kernels) - 1]

    def chain(self, kernels, after=()):
        """One after the other."""
        for kernel in kernels:
            after = self.add(kernel, after)
        return list(after)

    def alone(self, node):
        kernel = self.kernels[node]
        return (max(kernel.seconds, kernel.bytes / self.bandwidth)
                + kernel.reads * self.latency)

    def slowdown(self, running):
        """By what all running kernels share."""
        lanes = sum(self.kernels[k].seconds * self.kernels[k].width / self.alone(k) for k in running)
        traffic = sum(self.kernels[k].bytes / self.bandwidth / self.alone(k) for k in running)
        return max(1.0, lanes, traffic)

    def timeline(self):
        """(start, end) of each kernel [s]."""
        count = len(self.kernels)
        start, end, left = [None] * count, [None] * count, [1.0] * count
        now, running = 0.0, set()
        ready = {k: self.gap for k in range(count) if not self.after[k]}
        while None in end:
            for k in [k for k, at in ready.items() if at <= now]:
                start[k] = now
                running.add(k)
                del ready[k]
            slow = self.slowdown(running)
            until = min([now + left[k] * self.alone(k) * slow for k in running]
                        + list(ready.values()))
            for k in sorted(running):
                left[k] -= (until - now) / (self.alone(k) * slow)
                if left[k] < 1e-9:
                    end[k] = until
                    running.discard(k)
                    for other in range(count):
                        if k in self.after[other] and all(end[n] is not None
                                                          for n in self.after[other]):
                            ready[other] = until + self.gap
            now = until
        return list(zip(start, end))

    def total(self):
        return max(end for _, end in self.timeline())

    def total_in_a_row(self):
        """As if no two kernels ran at once."""
        return sum(self.gap + self.alone(k) for k in range(len(self.kernels)))
