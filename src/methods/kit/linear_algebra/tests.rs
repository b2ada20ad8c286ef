use base::rng::Stream;
use rand::RngExt;
use serde_json::Value;

use super::*;

const GOLDEN: &str = include_str!("../../../../tests/golden/kit/linear_algebra.json");
const LOCK_FILE: &str = include_str!("../../../../Cargo.lock");

fn cases(function: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(GOLDEN).unwrap();
    all[function].as_array().unwrap().clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn vector(value: &Value) -> Vector {
    Vector::from_iterator(
        value.as_array().unwrap().len(),
        value.as_array().unwrap().iter().map(number),
    )
}

/// From a list of rows.
fn matrix(value: &Value) -> Matrix {
    let rows = value.as_array().unwrap();
    let columns = rows[0].as_array().unwrap().len();
    Matrix::from_row_iterator(
        rows.len(),
        columns,
        rows.iter().flat_map(|row| row.as_array().unwrap()).map(number),
    )
}

/// Asserts |found - expected| <= tolerance * max |expected|, entry by entry.
#[track_caller]
fn assert_close(found: &Matrix, expected: &Matrix, tolerance: f64) {
    assert_eq!(found.shape(), expected.shape());
    let most = (found - expected).amax();
    assert!(most <= tolerance * expected.amax().max(1.0), "{found}{expected}{most:e}");
}

#[track_caller]
fn assert_vector_close(found: &Vector, expected: &Vector, tolerance: f64) {
    let [found, expected] =
        [found, expected].map(|v| Matrix::from_column_slice(v.len(), 1, v.as_slice()));
    assert_close(&found, &expected, tolerance);
}

/// A kernel of points on a line, with something added to its diagonal.
fn kernel(size: usize, nugget: f64) -> Matrix {
    let mut rng = Stream::new(6, size as u64, "test");
    let points: Vec<f64> = (0..size).map(|_| rng.random::<f64>() * 8.0).collect();
    Matrix::from_fn(size, size, |i, j| {
        let distance = points[i] - points[j];
        libm::exp(-distance * distance) + if i == j { nugget } else { 0.0 }
    })
}

#[test]
fn factors_solutions_and_determinants_are_numpys() {
    for case in cases("cholesky") {
        let found = Cholesky::new(matrix(&case["matrix"])).unwrap();
        let tolerance = number(&case["tolerance"]);
        assert_close(found.factor(), &matrix(&case["factor"]), tolerance);
        let right = vector(&case["right"]);
        assert_vector_close(&found.solve(&right), &vector(&case["solution"]), tolerance);
        assert_vector_close(&found.solve_lower(&right), &vector(&case["half"]), tolerance);
        let expected = number(&case["log_determinant"]);
        let difference = (found.log_determinant() - expected).abs();
        assert!(difference <= tolerance * expected.abs().max(1.0), "{difference:e}");
    }
}

#[test]
fn panels_have_the_bits_of_columns_taken_one_by_one() {
    for size in [1, 2, 3, 31, 32, 33, 64, 100] {
        let matrix = kernel(size, 0.1);
        let plain = nalgebra::Cholesky::new(matrix.clone()).unwrap().l();
        assert_eq!(*Cholesky::new(matrix).unwrap().factor(), plain, "{size}");
    }
}

#[test]
fn appending_has_the_bits_of_factorising_anew() {
    let matrix = kernel(70, 0.1);
    let mut grown = Cholesky::new(Matrix::zeros(0, 0)).unwrap();
    for size in 0..70 {
        let cross = Vector::from_fn(size, |at, _| matrix[(size, at)]);
        assert!(grown.append(&cross, matrix[(size, size)]));
        let whole = matrix.view((0, 0), (size + 1, size + 1)).into_owned();
        assert_eq!(grown, Cholesky::new(whole).unwrap(), "{size}");
    }
    // The same row once more leaves nothing of the variance, nor does NaN.
    let before = grown.clone();
    let cross = Vector::from_fn(70, |at, _| matrix[(69, at)]);
    assert!(!grown.append(&cross, matrix[(69, 69)] - 0.2));
    assert!(!grown.append(&Vector::from_element(70, f64::NAN), 1.0));
    assert_eq!(grown, before);
}

#[test]
fn every_column_is_solved_as_if_it_were_alone() {
    let found = Cholesky::new(kernel(40, 0.1)).unwrap();
    let mut rng = Stream::new(7, 0, "test");
    let right = Matrix::from_fn(40, 5, |_, _| rng.random::<f64>() - 0.5);
    let mut all = right.clone();
    found.solve_lower_all(&mut all);
    for at in 0..5 {
        assert_eq!(all.column(at), found.solve_lower(&right.column(at).into_owned()));
    }
}

#[test]
fn jitter_is_what_is_needed_and_no_more() {
    assert_eq!(Cholesky::with_jitter(&kernel(10, 0.1)).unwrap().1, 0.0);
    // Two rows alike, short by 3e-6 of what a variance needs: 1e-5 is enough.
    let mut matrix = Matrix::from_element(2, 2, 1.0);
    matrix[(1, 1)] = 1.0 - 3e-6;
    assert!(Cholesky::new(matrix.clone()).is_none());
    let (_, jitter) = Cholesky::with_jitter(&matrix).unwrap();
    assert!((jitter - 1e-5).abs() < 1e-18, "{jitter:e}");
    matrix[(1, 1)] = 1.0 - 1.5e-2;
    let (_, jitter) = Cholesky::with_jitter(&matrix).unwrap();
    assert!((jitter - JITTER_MAX).abs() < 1e-15, "{jitter:e}");
    matrix[(1, 1)] = 0.9;
    assert!(Cholesky::with_jitter(&matrix).is_none());
    matrix[(1, 0)] = f64::NAN;
    assert!(Cholesky::with_jitter(&matrix).is_none());
    assert!(Cholesky::with_jitter(&Matrix::from_element(1, 1, f64::INFINITY)).is_none());
}

#[test]
fn eigenvectors_are_numpys() {
    for case in cases("symmetric_eigen") {
        let whole = matrix(&case["matrix"]);
        let found = symmetric_eigen(whole.clone()).unwrap();
        assert_vector_close(&found.values, &vector(&case["values"]), 1e-13);
        if case["vectors"].is_array() {
            assert_close(&found.vectors, &matrix(&case["vectors"]), 1e-12);
        }
        // What must hold also where values are equal and vectors free.
        let Eigen { values, vectors } = found;
        let again = &vectors * Matrix::from_diagonal(&values) * vectors.transpose();
        assert_close(&again, &whole, 1e-13);
        let size = whole.nrows();
        assert_close(&(vectors.transpose() * &vectors), &Matrix::identity(size, size), 1e-13);
    }
    assert_eq!(symmetric_eigen(Matrix::from_element(2, 2, f64::NAN)), None);
}

#[test]
fn least_squares_are_numpys_also_where_columns_depend() {
    for case in cases("least_squares") {
        let found = least_squares(matrix(&case["matrix"]), &vector(&case["right"])).unwrap();
        assert_vector_close(&found, &vector(&case["solution"]), 1e-11);
    }
    assert_eq!(least_squares(Matrix::from_element(3, 1, f64::NAN), &Vector::zeros(3)), None);
}

#[test]
fn indefinite_systems_are_solved_as_numpy_does() {
    for case in cases("solve") {
        let found = solve(matrix(&case["matrix"]), &vector(&case["right"])).unwrap();
        assert_vector_close(&found, &vector(&case["solution"]), 1e-11);
    }
    assert_eq!(solve(Matrix::from_element(2, 2, 1.0), &Vector::zeros(2)), None);
}

/// Kernels that are chosen by the processor would change bits from machine to machine.
#[test]
fn nalgebra_multiplies_by_plain_loops() {
    let package = LOCK_FILE.split("[[package]]").find(|text| text.contains("name = \"nalgebra\""));
    let package = package.expect("nalgebra is locked");
    assert!(package.contains("simba") && !package.contains("matrixmultiply"), "{package}");
}

/// A model's numbers are part of what a run is: they stay what they are.
#[test]
fn bits_stay_what_they_are() {
    let matrix = kernel(48, 0.05);
    let found = Cholesky::new(matrix.clone()).unwrap();
    let right = Vector::from_fn(48, |at, _| libm::sin(f64::from(u8::try_from(at).unwrap())));
    let eigen = symmetric_eigen(matrix.clone()).unwrap();
    let bits = |vector: &Vector| vector.iter().fold(0_u64, |h, x| h.rotate_left(5) ^ x.to_bits());
    let found = [
        bits(&found.solve(&right)),
        found.log_determinant().to_bits(),
        bits(&eigen.values),
        bits(&eigen.vectors.column(47).into_owned()),
        bits(&least_squares(matrix.columns(0, 6).into_owned(), &right).unwrap()),
        bits(&solve(matrix, &right).unwrap()),
    ];
    let expected = [
        0xe917_b25c_b44b_b512,
        0xc058_5b1f_36a9_4312,
        0x4e4f_478b_0178_4354,
        0x6e00_fa1e_cc2b_684f,
        0x5605_db06_6b65_d0d8,
        0x2ef3_5d40_0880_bd91,
    ];
    assert_eq!(found, expected);
}
