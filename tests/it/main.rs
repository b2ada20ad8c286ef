//! Integration tests, one binary.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "goldens are read as f64; counts are small"
)]

mod adding_a_method;
mod analysis;
mod analysis_frames;
mod analysis_further;
mod analysis_json;
mod analysis_report;
mod analysis_statistics;
mod answers_anytime;
mod answers_headroom;
mod app_events;
mod causality;
mod columns;
mod combinations;
mod command_line;
mod command_line_answers;
mod command_line_chain;
mod command_line_json;
mod command_line_runs;
mod command_line_settings;
mod conformance;
mod data;
mod data_cards;
mod data_download;
mod data_get;
mod devices;
mod endings;
mod engine;
mod extrapolations;
mod folds;
mod hostile;
mod i_epoch;
mod long_runs;
mod model;
mod networks;
mod old_readers;
mod optimizers;
mod outputs;
mod pop;
mod prior;
mod random_search;
mod reasons;
mod reference;
mod reference_engine;
mod replay_breaches;
mod replay_common;
mod replay_foreign;
mod replay_golden;
mod replay_grids;
mod replay_objectives;
mod replay_properties;
mod replay_tables;
mod report_pages;
mod rf_ei;
mod runs_files;
mod sameness;
mod scheduler_peers;
mod schedulers;
mod settings_without_effect;
mod stoppers;
mod stoppers_looks;
mod stoppers_peers;
mod stoppers_tables;
mod study_directories;
mod study_growth;
mod table_common;
mod table_faults;
mod table_foreign;
mod table_gpu;
mod table_growth;
mod table_look;
mod table_merge;
mod table_outside;
mod table_pages;
mod table_round_trip;
mod table_size;
mod tidy;
mod toy_methods;
mod train_device;
mod train_divergence;
mod train_gpu;
mod train_gpu_runs;
mod trainer;
mod trainer_common;
mod training_bits;
mod training_settings;
mod view_of_trials;
mod warm_start_table;
mod why;
mod wrapping;
