//! The simplex itself, without trials or tables.

use base::units::TrialId;

/// A point with its loss; less is better, infinity the worst.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Vertex {
    pub(super) point: Vec<f64>,
    pub(super) loss: f64,
    /// Who ran it.
    pub(super) trial: Option<TrialId>,
}

/// Which step of the method a point tries.
#[derive(Debug, Clone)]
enum Kind {
    Reflect,
    /// The rest know the reflected vertex.
    Expand(Vertex),
    ContractOutside(Vertex),
    ContractInside,
}

#[derive(Debug, Clone)]
enum Stage {
    /// The vertices from `first` on are evaluated, at these points: of a new simplex or a shrunk
    /// one.
    Fill { first: usize, points: Vec<Vec<f64>>, asked: usize, told: usize },
    /// One point is tried.
    Try { kind: Kind, point: Vec<f64>, is_out: bool },
    /// A step is over, the next has not begun.
    Between,
}

/// Where the answer to a point belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(usize);

/// Edges that are shorter than this share of the longest, once those before them are taken out,
/// make a simplex flat.
const FLAT: f64 = 1e-6;

/// A simplex of `D + 1` vertices in `D` dimensions.
#[derive(Debug, Clone)]
pub(super) struct Simplex {
    /// The best first, but while they are being filled in.
    vertices: Vec<Vertex>,
    stage: Stage,
    /// Whether points outside of the unit cube have an infinite loss and are never tried.
    is_bounded: bool,
    /// Later words of trials, heard between the steps.
    revised: Vec<(TrialId, f64)>,
}

impl Simplex {
    /// A simplex with these corners, none of them evaluated.
    pub(super) fn new(corners: Vec<Vec<f64>>, is_bounded: bool) -> Self {
        let unknown = |point| Vertex { point, loss: f64::INFINITY, trial: None };
        let vertices = corners.iter().cloned().map(unknown).collect();
        let stage = Stage::Fill { first: 0, points: corners, asked: 0, told: 0 };
        Self { vertices, stage, is_bounded, revised: Vec::new() }
    }

    /// The next point to evaluate; `None` while answers are awaited.
    pub(super) fn ask(&mut self) -> Option<(Ticket, Vec<f64>)> {
        loop {
            match &mut self.stage {
                Stage::Fill { first, points, asked, .. } => {
                    let point = points.get(*asked)?.clone();
                    *asked += 1;
                    return Some((Ticket(*first + *asked - 1), point));
                }
                Stage::Try { is_out: true, .. } => return None,
                Stage::Try { point, is_out, .. } => {
                    let point = point.clone();
                    let fits = point.iter().all(|u| (0.0..=1.0).contains(u));
                    if fits || !self.is_bounded {
                        *is_out = true;
                        return Some((Ticket(0), point));
                    }
                    self.settle(Vertex { point, loss: f64::INFINITY, trial: None });
                }
                Stage::Between => self.begin_step(),
            }
        }
    }

    /// The answer to a point: where it was really evaluated, and its loss.
    pub(super) fn tell(&mut self, ticket: Ticket, vertex: Vertex) {
        match &mut self.stage {
            Stage::Fill { points, told, .. } => {
                self.vertices[ticket.0] = vertex;
                *told += 1;
                if *told == points.len() {
                    self.stage = Stage::Between;
                }
            }
            Stage::Try { .. } => self.settle(vertex),
            Stage::Between => unreachable!("nothing was asked"),
        }
    }

    /// A trial said something else later.
    pub(super) fn revise(&mut self, trial: TrialId, loss: f64) {
        self.revised.push((trial, loss));
    }

    /// Whether a step is over: now it may be looked at and replaced.
    pub(super) fn is_between(&self) -> bool {
        matches!(self.stage, Stage::Between)
    }

    fn sort(&mut self) {
        // Equals stay: the older first.
        self.vertices.sort_by(|a, b| a.loss.total_cmp(&b.loss));
    }

    fn begin_step(&mut self) {
        for (trial, loss) in std::mem::take(&mut self.revised) {
            for vertex in self.vertices.iter_mut().filter(|v| v.trial == Some(trial)) {
                vertex.loss = loss;
            }
        }
        self.sort();
        let point = self.moved(|centre, worst| 2.0 * centre - worst);
        self.attempt(Kind::Reflect, point);
    }

    fn attempt(&mut self, kind: Kind, point: Vec<f64>) {
        self.stage = Stage::Try { kind, point, is_out: false };
    }

    /// A point on the line through the centre of all but the worst vertex, and the worst.
    fn moved(&self, along: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let (worst, others) = self.vertices.split_last().expect("a simplex has vertices");
        #[expect(clippy::cast_precision_loss, reason = "dimensions are few")]
        let count = others.len() as f64;
        let centre = |at: usize| others.iter().map(|v| v.point[at]).sum::<f64>() / count;
        (0..worst.point.len()).map(|at| along(centre(at), worst.point[at])).collect()
    }

    /// Decides what becomes of the point that was tried.
    fn settle(&mut self, tried: Vertex) {
        let stage = std::mem::replace(&mut self.stage, Stage::Between);
        let Stage::Try { kind, .. } = stage else { unreachable!("a point was tried") };
        let count = self.vertices.len();
        let best = self.vertices[0].loss;
        let worst = self.vertices[count - 1].loss;
        match kind {
            Kind::Reflect if tried.loss < best => {
                let point = self.moved(|centre, worst| 3.0 * centre - 2.0 * worst);
                self.attempt(Kind::Expand(tried), point);
            }
            Kind::Reflect if tried.loss < self.vertices[count - 2].loss => self.accept(tried),
            Kind::Reflect if tried.loss < worst => {
                let point = self.moved(|centre, worst| 1.5 * centre - 0.5 * worst);
                self.attempt(Kind::ContractOutside(tried), point);
            }
            Kind::Reflect => {
                let point = self.moved(|centre, worst| 0.5 * centre + 0.5 * worst);
                self.attempt(Kind::ContractInside, point);
            }
            Kind::Expand(reflected) => {
                let better = if tried.loss < reflected.loss { tried } else { reflected };
                self.accept(better);
            }
            Kind::ContractOutside(reflected) if tried.loss <= reflected.loss => self.accept(tried),
            Kind::ContractInside if tried.loss < worst => self.accept(tried),
            Kind::ContractOutside(_) | Kind::ContractInside => self.shrink(),
        }
    }

    fn accept(&mut self, vertex: Vertex) {
        *self.vertices.last_mut().expect("a simplex has vertices") = vertex;
        self.sort();
    }

    /// Half way towards the best vertex.
    fn shrink(&mut self) {
        let best = self.vertices[0].point.clone();
        let nearer = |vertex: &Vertex| {
            best.iter().zip(&vertex.point).map(|(b, v)| b + 0.5 * (v - b)).collect()
        };
        let points = self.vertices[1..].iter().map(nearer).collect();
        self.refill(points);
    }

    /// Replaces all vertices but the best.
    fn refill(&mut self, points: Vec<Vec<f64>>) {
        self.stage = Stage::Fill { first: 1, points, asked: 0, told: 0 };
    }

    /// The largest distance along an axis from the best vertex.
    pub(super) fn diameter(&self) -> f64 {
        let best = &self.vertices[0].point;
        let of =
            |v: &Vertex| v.point.iter().zip(best).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        self.vertices.iter().map(of).fold(0.0, f64::max)
    }

    /// Whether the vertices lie in a plane, as near as makes no difference: then no step leaves it.
    pub(super) fn is_flat(&self) -> bool {
        let best = &self.vertices[0].point;
        let edge = |v: &Vertex| v.point.iter().zip(best).map(|(a, b)| a - b).collect();
        let mut edges: Vec<Vec<f64>> = self.vertices[1..].iter().map(edge).collect();
        let longest = edges.iter().map(|e| length(e)).fold(0.0, f64::max);
        if longest == 0.0 {
            return true;
        }
        // Gram & Schmidt, twice over for the rounding.
        for at in 0..edges.len() {
            for _ in 0..2 {
                for before in 0..at {
                    let along = dot(&edges[at], &edges[before]);
                    let axis = edges[before].clone();
                    edges[at].iter_mut().zip(axis).for_each(|(e, a)| *e -= along * a);
                }
            }
            let left = length(&edges[at]);
            if left <= FLAT * longest {
                return true;
            }
            edges[at].iter_mut().for_each(|e| *e /= left);
        }
        false
    }

    /// Keeps the best vertex, and sets the others one edge away from it along the axes, inwards.
    pub(super) fn straighten(&mut self) {
        self.sort();
        let edge = self.diameter().max(0.05);
        let best = self.vertices[0].point.clone();
        let corner = |at: usize| {
            let mut point = best.clone();
            point[at] += if point[at] < 0.5 { edge } else { -edge };
            point[at] = point[at].clamp(0.0, 1.0);
            point
        };
        let points = (0..best.len()).map(corner).collect();
        self.refill(points);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn length(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}
