//! A list that only grows, and never moves what is in it.

/// How many values a block has.
const BLOCK: usize = 4_096;

/// Values by their number, in blocks.
///
/// A `Vec` copies all that it has whenever it is full. With millions of values that takes as long as many pages, and all
/// readers of the index would wait for it.
#[derive(Debug)]
pub(crate) struct Column<T> {
    /// All of them full but the last.
    blocks: Vec<Vec<T>>,
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        Self { blocks: Vec::new() }
    }
}

impl<T> Column<T> {
    pub(crate) fn push(&mut self, value: T) {
        if let Some(block) = self.blocks.last_mut().filter(|block| block.len() < BLOCK) {
            block.push(value);
            return;
        }
        let mut block = Vec::with_capacity(BLOCK);
        block.push(value);
        self.blocks.push(block);
    }

    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        self.blocks.get(at / BLOCK)?.get(at % BLOCK)
    }

    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.blocks.get_mut(at / BLOCK)?.get_mut(at % BLOCK)
    }

    pub(crate) fn len(&self) -> usize {
        let full = self.blocks.len().saturating_sub(1).saturating_mul(BLOCK);
        full.saturating_add(self.blocks.last().map_or(0, Vec::len))
    }

    /// How many values come before the first for which `is_before` does not hold. They stand in such an order.
    pub(crate) fn partition_point(&self, is_before: impl Fn(&T) -> bool) -> usize {
        let begun = self.blocks.partition_point(|block| block.first().is_some_and(&is_before));
        let Some(last) = begun.checked_sub(1) else { return 0 };
        let within = self.blocks.get(last).map_or(0, |block| block.partition_point(&is_before));
        last.saturating_mul(BLOCK).saturating_add(within)
    }

    /// How much memory the blocks take, without what the values point to.
    pub(crate) fn bytes(&self) -> usize {
        self.blocks.len().saturating_mul(BLOCK).saturating_mul(size_of::<T>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_list_that_stays_where_it_is() {
        let mut column = Column::default();
        assert_eq!((column.len(), column.get(0), column.partition_point(|_: &usize| true)), (0, None, 0));
        column.push(0);
        let first = std::ptr::from_ref(column.get(0).unwrap());
        for number in 1..3 * BLOCK + 5 {
            column.push(number);
            assert_eq!(
                (column.len(), column.get(number), column.get(number + 1)),
                (number + 1, Some(&number), None)
            );
        }
        assert_eq!(std::ptr::from_ref(column.get(0).unwrap()), first, "growing has moved the values");
        for end in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 4, 3 * BLOCK + 5, 9 * BLOCK] {
            assert_eq!(column.partition_point(|number| *number < end), end.min(column.len()));
        }
        *column.get_mut(BLOCK).unwrap() = 7;
        assert_eq!(column.get(BLOCK), Some(&7));
    }
}
