//! What is inside what: groups and their members, folders and what lies in them.
//!
//! The directory keeps cycles out; if there were one all the same, nothing here would run for ever.

use std::collections::HashMap;

/// Nodes by number, and who is directly inside whom.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
}

/// All that is reached from one node, itself included, nearest first.
#[derive(Debug)]
pub(crate) struct Reach {
    /// The nodes, each with the place in this list of the one that it was reached from.
    steps: Vec<(usize, usize)>,
    places: HashMap<usize, usize>,
}

impl Graph {
    /// Adds a node that nothing is inside yet.
    pub(crate) fn add(&mut self) -> usize {
        self.above.push(Vec::new());
        self.below.push(Vec::new());
        self.above.len() - 1
    }

    /// Puts one node directly inside another.
    pub(crate) fn put(&mut self, inner: usize, outer: usize) {
        self.above[inner].push(outer);
        self.below[outer].push(inner);
    }

    /// The node and all that it is inside of, at any depth.
    pub(crate) fn above(&self, node: usize) -> Reach {
        Reach::from(node, &self.above)
    }

    /// The node and all that is inside of it, at any depth.
    pub(crate) fn below(&self, node: usize) -> Reach {
        Reach::from(node, &self.below)
    }
}

impl Reach {
    fn from(start: usize, next: &[Vec<usize>]) -> Reach {
        let mut reach = Reach { steps: vec![(start, 0)], places: HashMap::from([(start, 0)]) };
        let mut at = 0;
        while at < reach.steps.len() {
            for &node in &next[reach.steps[at].0] {
                let place = reach.steps.len();
                if *reach.places.entry(node).or_insert(place) == place {
                    reach.steps.push((node, at));
                }
            }
            at += 1;
        }
        reach
    }

    /// The nodes, the start first.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = usize> + '_ {
        self.steps.iter().map(|(node, _)| *node)
    }

    /// Whether the node is among them.
    pub(crate) fn holds(&self, node: usize) -> bool {
        self.places.contains_key(&node)
    }

    /// A shortest way from the node back to the start, both included; nothing if it is not among them.
    pub(crate) fn way_back(&self, node: usize) -> Vec<usize> {
        let Some(&(mut place)) = self.places.get(&node) else { return Vec::new() };
        let mut way = vec![self.steps[place].0];
        while place != 0 {
            place = self.steps[place].1;
            way.push(self.steps[place].0);
        }
        way
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_ends_and_the_shortest_way_is_told() {
        let mut graph = Graph::default();
        let nodes: Vec<usize> = (0..4).map(|_| graph.add()).collect();
        for (inner, outer) in [(0, 1), (1, 2), (2, 0), (0, 2), (2, 3)] {
            graph.put(nodes[inner], nodes[outer]);
        }
        let reach = graph.above(0);
        assert_eq!(reach.nodes().collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(reach.way_back(3), [3, 2, 0]);
        assert_eq!(graph.below(3).way_back(1), [1, 2, 3]);
        assert!(reach.way_back(9).is_empty());
    }
}
