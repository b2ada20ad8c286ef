//! What a device does, on any adapter.

use super::kernels::product::PRODUCT;
use super::kernels::twin;

#[test]
fn what_is_written_is_read_back() {
    let Some(gpu) = twin::gpu() else { return };
    let buffer = gpu.upload("numbers", &[1_u32, 2, 3, 4]).unwrap();
    gpu.write(&buffer, 8, &[7_u32]);
    assert_eq!(gpu.download::<u32>(&buffer, 0..16).unwrap(), [1, 2, 7, 4]);
    assert_eq!(gpu.download::<u32>(&buffer, 4..12).unwrap(), [2, 7]);
    let blank = gpu.allocate("blank", 64).unwrap();
    assert_eq!(gpu.download::<f32>(&blank, 0..64).unwrap(), [0.0; 16]);
}

#[test]
fn a_buffer_beyond_the_limits_is_refused_in_five_parts() {
    let Some(gpu) = twin::gpu() else { return };
    let error = gpu.allocate("values", 1 << 60).unwrap_err().to_string();
    let expected = format!("bytes of values = {}: a buffer holds at most", 1_u64 << 60);
    assert!(error.contains(&expected) && error.contains("train fewer"), "{error}");
    // The device goes on.
    assert!(gpu.upload("numbers", &[1.0_f32]).is_ok());
}

#[test]
fn a_pipeline_that_the_adapter_refuses_is_an_error() {
    let Some(gpu) = twin::gpu() else { return };
    // More threads than any adapter has in a workgroup.
    let constants = [("THREADS", 1 << 20)];
    let error = gpu.pipeline(PRODUCT.shader, &constants).unwrap_err().to_string();
    assert!(error.contains("shader = product: this driver does not compile it"), "{error}");
    assert!(gpu.pipeline(PRODUCT.shader, &[]).is_ok());
}

#[test]
fn a_lost_device_is_an_error_and_no_panic() {
    let Some(gpu) = twin::gpu() else { return };
    let buffer = gpu.upload("numbers", &[1_u32; 4]).unwrap();
    gpu.lose();
    for _ in 0..2 {
        let error = gpu.download::<u32>(&buffer, 0..16).unwrap_err().to_string();
        assert!(error.contains("must stay with us") && error.contains("start again"), "{error}");
    }
    assert!(gpu.pipeline(PRODUCT.shader, &[]).is_err());
    assert!(gpu.upload("numbers", &[1_u32; 4]).is_err());
    assert!(gpu.run(&[]).is_err());
}
