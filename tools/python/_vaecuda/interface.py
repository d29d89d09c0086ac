"""The structures and functions of vaecuda.h that are used here."""

import ctypes
from ctypes import POINTER, Structure, c_char_p, c_double, c_float, c_int, c_int64, c_size_t, c_uint64, c_void_p

STOPPED = 75


# The structures of vaecuda.h. `size` says how much of one this file knows.
class Sized(Structure):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not args:
            self.size = ctypes.sizeof(self)


class Progress(Structure):
    _fields_ = [("step", c_int64), ("total_steps", c_int64), ("epoch", c_int64), ("total_epochs", c_int64),
                ("seconds", c_double), ("rows_per_second", c_double), ("lr", c_double), ("loss", c_double),
                ("reconstruction", c_double), ("kl", c_double), ("valid_loss", c_double), ("epoch_end", c_int),
                ("improved", c_int)]


MESSAGE = ctypes.CFUNCTYPE(None, c_void_p, c_char_p)
PROGRESS = ctypes.CFUNCTYPE(None, c_void_p, POINTER(Progress))
STOP = ctypes.CFUNCTYPE(c_int, c_void_p)


class Observer(Sized):
    _fields_ = [("size", c_size_t), ("user", c_void_p), ("message", MESSAGE), ("progress", PROGRESS), ("stop", STOP),
                ("report", c_int)]


class Summary(Sized):
    _fields_ = [("size", c_size_t), ("steps", c_int64), ("epochs", c_int64), ("best_epoch", c_int64),
                ("parameters", c_int64), ("seconds", c_double), ("rows_per_second", c_double), ("train_loss", c_double),
                ("valid_loss", c_double), ("test_loss", c_double), ("stopped_early", c_int)]


class RunOn(Sized):
    _fields_ = [("size", c_size_t), ("device", c_char_p), ("threads", c_int64), ("precision", c_char_p),
                ("user", c_void_p), ("message", MESSAGE)]


class ModelInfo(Sized):
    _fields_ = [("size", c_size_t), ("input_dim", c_int64), ("latent_dim", c_int64), ("parameters", c_int64),
                ("steps", c_int64), ("seed", c_uint64), ("image_height", c_int64), ("image_width", c_int64),
                ("image_channels", c_int64), ("likelihood", c_char_p), ("activation", c_char_p), ("latent", c_char_p),
                ("device", c_char_p), ("device_note", c_char_p)]


class Evaluation(Sized):
    _fields_ = [("size", c_size_t), ("rows", c_int64), ("active_units", c_int64)] + [
        (name, c_double) for name in (
            "negative_elbo", "negative_elbo_error", "reconstruction", "reconstruction_error", "kl", "kl_error", "nll",
            "nll_error", "squared_error", "squared_error_error", "negative_elbo_bits", "nll_bits", "information",
            "marginal_kl", "mutual_information_gap")] + [
        ("anomalies", c_int64), ("roc_auc", c_double), ("average_precision", c_double)]


class EvaluateOptions(Sized):
    _fields_ = [("size", c_size_t), ("samples", c_int64), ("seed", c_uint64), ("elbo_samples", c_int64),
                ("active_threshold", c_double), ("bins", c_int64), ("anomaly_label", c_char_p)]


class Array(Sized):
    _fields_ = [("size", c_size_t), ("data", c_void_p), ("type", c_int), ("axes", c_int64), ("shape", POINTER(c_int64)),
                ("strides", POINTER(c_int64)), ("swapped", c_int), ("mask", c_void_p), ("mask_strides", POINTER(c_int64)),
                ("name", c_char_p)]


TYPES = {"b1": 0, "u1": 1, "i1": 2, "u2": 3, "i2": 4, "u4": 5, "i4": 6, "u8": 7, "i8": 8, "f4": 9, "f8": 10}
TEXT = 11
FLOATS = POINTER(c_float)
HANDLE = c_void_p
FUNCTIONS = {
    "vaecuda_dataset_from_array": [POINTER(Array), POINTER(HANDLE)],
    "vaecuda_dataset_from_csr": [POINTER(Array), POINTER(Array), POINTER(Array), c_int64, POINTER(HANDLE)],
    "vaecuda_dataset_from_columns": [POINTER(POINTER(Array)), c_int64, c_char_p, POINTER(HANDLE)],
    "vaecuda_dataset_from_config": [HANDLE, POINTER(HANDLE)],
    "vaecuda_dataset_from_config_for": [HANDLE, POINTER(c_char_p), c_size_t, POINTER(HANDLE)],
    "vaecuda_dataset_set_labels": [HANDLE, POINTER(Array)],
    "vaecuda_dataset_set_label_columns": [HANDLE, POINTER(c_char_p), c_size_t],
    "vaecuda_dataset_load_labels": [HANDLE, c_char_p, POINTER(c_char_p), c_size_t],
    "vaecuda_dataset_notes": [HANDLE, c_char_p, c_size_t, POINTER(c_size_t)],
    "vaecuda_dataset_size": [HANDLE, POINTER(c_int64), POINTER(c_int64)],
    "vaecuda_dataset_values": [HANDLE, c_int64, c_int64, FLOATS, c_size_t],
    "vaecuda_config_create": [POINTER(HANDLE)],
    "vaecuda_config_set": [HANDLE, c_char_p, c_char_p],
    "vaecuda_config_preset": [HANDLE, c_char_p],
    "vaecuda_config_load": [HANDLE, c_char_p],
    "vaecuda_config_get": [HANDLE, c_char_p, c_char_p, c_size_t, POINTER(c_size_t)],
    "vaecuda_config_load_run": [HANDLE, c_char_p],
    "vaecuda_train": [HANDLE, HANDLE, HANDLE, HANDLE, POINTER(Observer), POINTER(Summary)],
    "vaecuda_train_resume": [HANDLE, HANDLE, HANDLE, HANDLE, POINTER(Observer), POINTER(Summary)],
    "vaecuda_write_report": [c_char_p, c_char_p, POINTER(RunOn)],
    "vaecuda_model_load": [c_char_p, POINTER(RunOn), POINTER(HANDLE)],
    "vaecuda_model_save": [HANDLE, c_char_p],
    "vaecuda_model_describe": [HANDLE, POINTER(ModelInfo)],
    "vaecuda_encode": [HANDLE, FLOATS, c_int64, c_int64, FLOATS, c_size_t, FLOATS, c_size_t],
    "vaecuda_decode": [HANDLE, FLOATS, c_int64, c_int64, FLOATS, c_size_t],
    "vaecuda_reconstruct": [HANDLE, FLOATS, c_int64, c_int64, FLOATS, c_size_t],
    "vaecuda_sample": [HANDLE, c_int64, c_uint64, c_double, FLOATS, c_size_t],
    "vaecuda_sample_latents": [HANDLE, c_int64, c_uint64, c_double, FLOATS, c_size_t],
    "vaecuda_interpolate": [HANDLE, FLOATS, FLOATS, c_int64, c_int64, c_int, FLOATS, c_size_t],
    "vaecuda_elbo": [HANDLE, FLOATS, c_int64, c_int64, c_uint64, FLOATS, c_size_t, FLOATS, c_size_t],
    "vaecuda_log_likelihood": [HANDLE, FLOATS, c_int64, c_int64, c_int64, c_uint64, FLOATS, c_size_t],
    "vaecuda_encode_dataset": [HANDLE, HANDLE, FLOATS, c_size_t, FLOATS, c_size_t],
    "vaecuda_decode_dataset": [HANDLE, HANDLE, FLOATS, c_size_t],
    "vaecuda_reconstruct_dataset": [HANDLE, HANDLE, FLOATS, c_size_t],
    "vaecuda_elbo_dataset": [HANDLE, HANDLE, c_uint64, FLOATS, c_size_t, FLOATS, c_size_t],
    "vaecuda_log_likelihood_dataset": [HANDLE, HANDLE, c_int64, c_uint64, FLOATS, c_size_t],
    "vaecuda_elbo_samples": [HANDLE, HANDLE, c_int64, c_uint64, FLOATS, c_size_t, FLOATS, c_size_t],
    "vaecuda_evaluate_with": [HANDLE, HANDLE, POINTER(EvaluateOptions), POINTER(Evaluation), POINTER(c_double), c_size_t],
}
