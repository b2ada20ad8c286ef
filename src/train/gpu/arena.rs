//! Room for networks in the memories that they share.

use super::layout::Extents;

/// Which parts of each memory are free.
#[derive(Debug, Clone)]
pub(super) struct Arena {
    free: [FreeList; 8],
}

impl Arena {
    /// Of these sizes, all free.
    pub(super) fn new(sizes: Extents) -> Self {
        Self { free: sizes.all().map(|size| FreeList(vec![(0, size)])) }
    }

    /// Takes a part of each memory, the first that is large enough; all or nothing.
    pub(super) fn take(&mut self, sizes: Extents) -> Option<Extents> {
        let starts = sizes.all();
        let mut taken = [0; 8];
        for (memory, size) in starts.into_iter().enumerate() {
            let Some(start) = self.free[memory].take(size) else {
                let begun = taken.iter().zip(starts).take(memory);
                for (free, (&start, size)) in self.free.iter_mut().zip(begun) {
                    free.give_back(start, size);
                }
                return None;
            };
            taken[memory] = start;
        }
        Some(Extents::of(taken))
    }

    /// Frees what [`Arena::take`] gave.
    pub(super) fn give_back(&mut self, begin: Extents, sizes: Extents) {
        let parts = begin.all().into_iter().zip(sizes.all());
        for (free, (start, size)) in self.free.iter_mut().zip(parts) {
            free.give_back(start, size);
        }
    }
}

/// Free parts as (start, size), in their order, no two of which touch.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FreeList(Vec<(u32, u32)>);

impl FreeList {
    fn take(&mut self, size: u32) -> Option<u32> {
        if size == 0 {
            return Some(0);
        }
        let at = self.0.iter().position(|(_, free)| *free >= size)?;
        let (start, free) = self.0[at];
        if free == size {
            self.0.remove(at);
        } else {
            self.0[at] = (start + size, free - size);
        }
        Some(start)
    }

    fn give_back(&mut self, start: u32, size: u32) {
        if size == 0 {
            return;
        }
        let at = self.0.partition_point(|(other, _)| *other < start);
        self.0.insert(at, (start, size));
        if self.0.get(at + 1).is_some_and(|(next, _)| *next == start + size) {
            self.0[at].1 += self.0.remove(at + 1).1;
        }
        if at > 0 && self.0[at - 1].0 + self.0[at - 1].1 == start {
            self.0[at - 1].1 += self.0.remove(at).1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(values: u32, weights: u32) -> Extents {
        Extents { values, weights, ..Extents::default() }
    }

    #[test]
    fn what_does_not_fit_takes_nothing() {
        let mut arena = Arena::new(sizes(10, 10));
        assert_eq!(arena.take(sizes(4, 11)), None);
        assert_eq!(arena.take(sizes(10, 10)), Some(sizes(0, 0)));
        assert_eq!(arena.take(sizes(1, 0)), None);
    }

    #[test]
    fn freed_parts_join_and_are_used_again() {
        let mut arena = Arena::new(sizes(12, 0));
        let parts: Vec<Extents> = (0..3).map(|_| arena.take(sizes(4, 0)).unwrap()).collect();
        assert_eq!(parts.iter().map(|part| part.values).collect::<Vec<_>>(), [0, 4, 8]);
        arena.give_back(parts[0], sizes(4, 0));
        assert_eq!(arena.take(sizes(5, 0)), None);
        assert_eq!(arena.take(sizes(3, 0)), Some(sizes(0, 0)));
        arena.give_back(parts[2], sizes(4, 0));
        arena.give_back(parts[1], sizes(4, 0));
        // 3 to 12 are one part again.
        assert_eq!(arena.take(sizes(9, 0)), Some(sizes(3, 0)));
    }
}
