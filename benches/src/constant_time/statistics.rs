//! Welch's t-test on times, whole and cropped.

/// Mean and variance of a stream of numbers (Welford).
#[derive(Clone, Copy, Default)]
struct Stream {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Stream {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let distance = value - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (value - self.mean);
    }

    fn variance_of_mean(&self) -> f64 {
        self.squares / (self.count - 1.0) / self.count
    }
}

/// Welch's t of two streams; 0 where there is too little of either, or no variance.
fn welch(a: &Stream, b: &Stream) -> f64 {
    if a.count < ENOUGH || b.count < ENOUGH {
        return 0.0;
    }
    let t = (a.mean - b.mean) / (a.variance_of_mean() + b.variance_of_mean()).sqrt();
    if t.is_finite() { t } else { 0.0 }
}

/// The times of two classes: all, and those below each of many bounds. Interrupts make a long tail, in which a small
/// difference drowns.
pub(super) struct Classes {
    tests: Vec<(f64, [Stream; 2])>,
}

impl Classes {
    /// Bounds as in the paper's program, 1 - 0.5^(10 i / 100), of times measured before.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share of a length
    pub(super) fn new(mut first: Vec<f64>) -> Self {
        first.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| first.get((share * first.len() as f64) as usize).copied();
        let bounds =
            (1..CROPPED).map(|i| 1.0 - 0.5_f64.powf(10.0 * f64::from(i) / f64::from(CROPPED)));
        let bounds = bounds.filter_map(at).chain([f64::INFINITY]);
        Classes { tests: bounds.map(|bound| (bound, <[Stream; 2]>::default())).collect() }
    }

    pub(super) fn add(&mut self, class: bool, time: f64) {
        for (bound, [no, yes]) in &mut self.tests {
            if time < *bound {
                if class { yes.add(time) } else { no.add(time) }
            }
        }
    }

    /// The t of the greatest magnitude among all bounds.
    pub(super) fn largest_t(&self) -> f64 {
        let all = self.tests.iter().map(|(_, [no, yes])| welch(no, yes));
        all.fold(0.0, |largest, t| if t.abs() > largest.abs() { t } else { largest })
    }
}

/// Bounds beside "all".
const CROPPED: u32 = 100;
/// Times of a class below a bound without which nothing is said.
const ENOUGH: f64 = 500.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::rng::SplitMix64;

    fn classes(shift: f64) -> Classes {
        let mut random = SplitMix64::new(7);
        let mut draw = || random.below(1_000) as f64;
        let mut classes = Classes::new((0..2_000).map(|_| draw()).collect());
        for number in 0..20_000 {
            let class = number % 2 == 0;
            classes.add(class, draw() + if class { shift } else { 0.0 });
        }
        classes
    }

    #[test]
    fn a_shift_is_found_and_none_is_not() {
        assert!(classes(0.0).largest_t().abs() < 4.5);
        assert!(classes(100.0).largest_t() < -4.5);
        assert!(classes(-100.0).largest_t() > 4.5);
    }

    #[test]
    fn t_is_welchs() {
        let (mut a, mut b) = (Stream::default(), Stream::default());
        for number in 0..1_000 {
            a.add(f64::from(number % 2));
            b.add(f64::from(number % 2) + 1.0);
        }
        // Means 0.5 and 1.5, variances 0.25 * 1000 / 999.
        let expected = -1.0 / (2.0 * 0.25 / 999.0_f64).sqrt();
        assert!((welch(&a, &b) - expected).abs() < 1e-9);
        assert!(welch(&a, &Stream::default()).abs() < f64::EPSILON);
    }
}
