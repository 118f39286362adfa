//! Lists: rows with a cursor, which never move under it.
//!
//! Decides that selection is by id, that new rows wait until they are let in, that rows which are over stay where they
//! are until then, and which rows a page shows. What a row says is the pane's business.

/// An ordered list of ids with a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct List<K> {
    order: Vec<K>,
    cursor: Option<K>,
    /// All that the desk named last.
    latest: Vec<K>,
}

impl<K> Default for List<K> {
    fn default() -> Self {
        Self { order: Vec::new(), cursor: None, latest: Vec::new() }
    }
}

impl<K: Clone + PartialEq> List<K> {
    /// Takes note of what there is now. Rows are shown at once only where none are shown yet.
    pub(crate) fn note(&mut self, latest: Vec<K>) {
        self.latest = latest;
        if self.order.is_empty() {
            self.renew();
        }
    }

    /// Lets new rows in, those that are over out, and takes the present order.
    pub(crate) fn renew(&mut self) {
        let place = self.place();
        self.order.clone_from(&self.latest);
        let kept = self.cursor.as_ref().is_some_and(|cursor| self.order.contains(cursor));
        if !kept {
            let last = self.order.len().saturating_sub(1);
            self.cursor = self.order.get(place.unwrap_or(0).min(last)).cloned();
        }
    }

    /// Returns how many rows wait to be let in.
    pub(crate) fn waiting(&self) -> usize {
        self.arriving().count()
    }

    /// Returns the rows that wait to be let in.
    pub(crate) fn arriving(&self) -> impl Iterator<Item = &K> {
        self.latest.iter().filter(|id| !self.order.contains(id))
    }

    /// Tells whether something is still there.
    pub(crate) fn is_current(&self, id: &K) -> bool {
        self.latest.contains(id)
    }

    /// Tells whether the rows that are shown stand in another order than they would.
    pub(crate) fn is_out_of_order(&self) -> bool {
        let shown = self.order.iter().filter(|id| self.latest.contains(id));
        let latest = self.latest.iter().filter(|id| self.order.contains(id));
        !shown.eq(latest)
    }

    /// Puts a row at the end, as its person asked.
    pub(crate) fn sink(&mut self, id: &K) {
        if self.order.contains(id) {
            self.order.retain(|other| other != id);
            self.order.push(id.clone());
        }
    }

    pub(crate) fn order(&self) -> &[K] {
        &self.order
    }

    pub(crate) const fn cursor(&self) -> Option<&K> {
        self.cursor.as_ref()
    }

    fn place(&self) -> Option<usize> {
        self.cursor.as_ref().and_then(|cursor| self.order.iter().position(|id| id == cursor))
    }

    /// Puts the cursor on an id; one that is not shown yet is let in, with all others.
    pub(crate) fn go_to(&mut self, id: &K) {
        if !self.order.contains(id) && self.latest.contains(id) {
            self.renew();
        }
        if self.order.contains(id) {
            self.cursor = Some(id.clone());
        }
    }

    /// Moves the cursor by so many of the rows that are shown; stays at the ends. Returns whether it moved.
    pub(crate) fn step(&mut self, shown: &[K], by: isize) -> bool {
        let before = self.cursor.clone();
        let Some(last) = shown.len().checked_sub(1) else { return false };
        let at = self.cursor.as_ref().and_then(|cursor| shown.iter().position(|id| id == cursor));
        let target = at.map_or(0, |at| at.saturating_add_signed(by).min(last));
        self.cursor = shown.get(target).cloned();
        self.cursor != before
    }
}

/// Returns the first row of the page on which a row stands: pages turn, rows do not slide.
pub(crate) const fn page_start(at: usize, height: usize) -> usize {
    match at.checked_div(height) {
        Some(page) => page * height,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn new_rows_wait_and_old_ones_stay() {
        let mut list = List::default();
        list.note(vec![1, 2, 3]);
        assert_eq!(list.cursor(), Some(&1));
        list.step(&[1, 2, 3], 1);
        list.note(vec![9, 1, 3]);
        assert_eq!((list.order(), list.cursor(), list.waiting()), (&[1, 2, 3][..], Some(&2), 1));
        assert!(!list.is_current(&2));
        list.renew();
        assert_eq!((list.order(), list.cursor(), list.waiting()), (&[9, 1, 3][..], Some(&1), 0));
    }

    #[test]
    fn a_row_sinks_when_asked_and_stands_out_of_order_until_rows_are_let_in() {
        let mut list = List::default();
        list.note(vec![1, 2, 3]);
        list.sink(&1);
        list.sink(&9);
        assert_eq!((list.order(), list.cursor(), list.is_out_of_order()), (&[2, 3, 1][..], Some(&1), true));
        list.note(vec![2, 3, 1]);
        assert!(!list.is_out_of_order());
        list.note(vec![1, 2]);
        assert!(list.is_out_of_order());
        list.renew();
        assert!(!list.is_out_of_order());
    }

    #[test]
    fn pages_turn_and_an_area_without_rows_is_no_fault() {
        assert_eq!((page_start(6, 7), page_start(7, 7), page_start(20, 7), page_start(3, 0)), (0, 7, 14, 0));
    }

    proptest! {
        #[test]
        fn the_selected_id_survives_every_update(updates in proptest::collection::vec(proptest::collection::vec(0_u8..20, 0..8), 1..8)) {
            let mut list = List::default();
            list.note(vec![3, 5, 7]);
            list.step(&[3, 5, 7], 1);
            for mut latest in updates {
                latest.dedup();
                list.note(latest);
                prop_assert_eq!(list.cursor(), Some(&5));
                prop_assert_eq!(list.order(), &[3, 5, 7]);
            }
        }
    }
}
