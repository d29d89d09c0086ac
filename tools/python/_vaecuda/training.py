"""Training."""

import os
import queue
import shutil
import tempfile
import threading
from ctypes import byref
from typing import Any, Callable, Dict, NamedTuple, Optional

from .arguments import as_flag, as_path, as_text, is_path
from .errors import RequestError, VaecudaWarning
from .interface import MESSAGE, PROGRESS, STOP, STOPPED, Observer, Progress, Summary
from .library import WARNING, Handle, invoke, shown, warn
from .model import Vae
from .options import get_option, label_column_text, set_option
from .rows import dataset_from_file, dataset_of, label_place, labels_beside
from .tables import names_met, names_of


def _attend(thread, warned) -> None:
    """Warns of what comes by the queue until the thread has ended."""
    while thread.is_alive() or not warned.empty():
        try:
            said = warned.get(timeout=0.2 if thread.is_alive() else 0.0)
        except queue.Empty:
            continue
        if said is None:
            thread.join()
            continue
        text, refused, handled = said
        try:
            warn(text)
        except VaecudaWarning as error:
            refused.append(error)
        finally:
            handled.set()


def _in_thread(work, failures: list, warned):
    """Runs `work` in another thread, since a signal interrupts Python's code alone, not that of a library. What the
    waiting thread is interrupted by goes to `failures`, where `work` looks; what comes by the queue `warned`, a text,
    a list for the error that filters may make of it and an event for when that is done, is warned of in the waiting
    thread, whose filters and line they concern."""
    results, begin = [], queue.SimpleQueue()

    def call():
        try:
            if begin.get():
                results.append(work())
        except BaseException as error:
            failures.append(error)
        warned.put(None)  # wakes the waiting thread

    thread = threading.Thread(target=call)
    try:
        thread.start()
        begin.put(True)
    except BaseException as error:
        failures.append(error)
        begin.put(False)  # start() may be interrupted with the thread made
    while thread.is_alive() or not warned.empty():
        try:
            _attend(thread, warned)
        except BaseException as error:
            failures.append(error)
    return results[0] if results else None


def _name_run(error: BaseException, folder: str, stopped: bool) -> None:
    """Says with an error where the run is that it has ended."""
    text = (f"the run is in {folder}: vaecuda.Vae.load({os.path.join(folder, 'model.safetensors')!r}) is its model" +
            (f", vaecuda.train(..., resume={folder!r}) goes on with it" if stopped else ""))
    error.folder = folder
    if isinstance(error, KeyboardInterrupt) and not error.args:
        error.args = (text,)
    elif hasattr(error, "add_note"):
        error.add_note(text)
    elif isinstance(error, VaecudaWarning):  # Python before 3.11
        error.args = (f"{error}; {text}",)


class Training(NamedTuple):
    """A finished run."""

    model: Vae
    summary: Dict[str, Any]
    """steps, epochs, seconds, rows_per_second, losses (NaN where there were no rows), stopped, ..."""
    folder: Optional[str]
    """Where the run lies; None where no folder was asked for."""


def _columns_of_start(settings: Handle, options: Dict[str, Any], resume) -> tuple:
    """What the model calls its columns that a run begins with, or that a resumed one began with, as the program has them,
    and the numbers of its label vectors; None where there are none."""
    start = options.get("init_from") or options.get("init-from") or get_option(settings, "init_from")
    if not start:
        return None, None
    last = None if resume is None else os.path.join(os.fsdecode(as_path(resume, "resume")), "last.safetensors")
    with Vae.load(last if last is not None and os.path.exists(last) else start, "cpu", 1) as model:
        return model.info["columns"], model.info["label_columns"]


def _rows_of_run(settings: Handle, rows: Dict[str, Any], labels: Dict[str, Any], options: Dict[str, Any], resume) -> list:
    """The data sets of a run, None where there are none or the configuration says which file it is. Where one is in
    memory all are."""
    for name, its in labels.items():
        if its is not None and rows[name] is None:
            raise RequestError(f"labels are given for {name}, but no rows", 2)
    given = [value for value in rows.values() if value is not None]
    label_column = label_column_text(options.pop("label_column", None))
    if all(map(is_path, given)) and labels["valid"] is None and labels["test"] is None and (
            labels["data"] is None or is_path(labels["data"])):
        for name, value in {**rows, "labels": labels["data"], "label_column": label_column or None}.items():
            if value is not None:
                set_option(settings, name, value)
        return [None, None, None]
    met = names_met(value for value in given if not is_path(value))
    start, start_told = _columns_of_start(settings, options, resume)
    if start:
        met, label_column = met + start, label_column or labels_beside(start)
    names = [] if is_path(rows["data"]) else names_of(rows["data"])
    label = label_place(names, label_column)
    wanted = start or [name for i, name in enumerate(names) if i != label]
    told = start_told or ([] if labels["data"] is None or is_path(labels["data"]) else names_of(labels["data"]))
    return [None if value is None else
            dataset_from_file(value, labels[name], needed, its_told, label_column=label_column) if is_path(value) else
            dataset_of(value, name, labels[name], label_column, met, needed, its_told)
            for name, value in rows.items()
            for needed, its_told in [(wanted if start or name != "data" else None,
                                      told if start_told or name != "data" else None)]]


def train(data=None, valid=None, test=None, out=None, *, labels=None, valid_labels=None, test_labels=None, preset=None,
          config=None, resume=None, message: Optional[Callable[[str], None]] = None,
          progress: Optional[Callable[[Dict[str, Any]], None]] = None, stop: Optional[Callable[[], bool]] = None,
          report: bool = True, **options) -> Training:
    """Trains a model.

    data: an array (rows, D), or (rows, height, width[, channels]) for pictures; or a DataFrame; or the path of a file or
    folder; or None where `config` says it. valid, test: held-out rows.
    labels, valid_labels, test_labels: of the rows, for conditional=True, normal_label= and figures by label: an array, a
    DataFrame's column, or the path of a file. label_column: the column of a DataFrame or CSV file that holds them.
    out: the folder of the run, by default the one that `config` names; without any the run's files are removed once the
    model is loaded, and kept where train() ends by an exception after a checkpoint.
    report: write report.html, the page of the run, into a folder that stays.
    preset: a recipe by its name. config: a TOML file with options. options: those of `vae_cuda_train --help`, with
    underscores: latent_dim=10, hidden=[400, 200], lr=1e-3, likelihood="gaussian", standardize=True. Each goes over what
    stands before it.
    resume: the folder of a run that was stopped or killed, or is to become longer (epochs=...); it goes on from its last
    checkpoint, and the folder becomes what one run would have made it. Everything comes from that run, so `out`,
    `preset` and `config` are refused, as is an option that would change its result; rows in memory have to be given
    again.
    message, progress: called with a line, and with a dict, a few times a second. stop: asked as often; True ends the
    run after saving. Ctrl-C and an exception of these functions do the same and are raised then; the exception has the
    run's folder as its attribute `folder`, and says how to load the model and to go on. The run, and so what it calls,
    has a thread of its own. What may be wrong is a VaecudaWarning besides. Where filters make errors of those, one that
    comes before the first step ends the run, a later one is raised, with `folder`, when the run has ended.
    """
    for name, function in {"message": message, "progress": progress, "stop": stop}.items():
        if function is not None and not callable(function):
            raise RequestError(f"{name} is {function!r}, but a function is expected", 2)
    if resume is not None and not (out is None and config is None and preset is None):
        raise RequestError("out, preset and config contradict resume: everything comes from the run that is resumed", 2)
    settings = Handle("config", "vaecuda_config_create")
    if resume is not None:
        invoke("vaecuda_config_load_run", settings, as_path(resume, "resume"))
    if preset is not None:
        invoke("vaecuda_config_preset", settings, as_text(preset, "preset"))
    if config is not None:
        invoke("vaecuda_config_load", settings, as_path(config, "config"))
    sets = _rows_of_run(settings, {"data": data, "valid": valid, "test": test},
                        {"data": labels, "valid": valid_labels, "test": test_labels}, options, resume)
    for option, value in options.items():
        set_option(settings, option, value)
    if out is None and config is not None:
        out = get_option(settings, "out") or None

    failures, doubts = [], []
    warned = queue.SimpleQueue()
    begun = threading.Event()

    def guarded(function, fallback):
        """A callback. What it raises ends the run, and is raised again after it; ctypes would print and forget it."""
        def call(*arguments):
            try:
                return fallback if failures else function(*arguments)
            except BaseException as error:
                failures.append(error)
                return fallback
        return call

    def say(_, line: bytes) -> None:
        text = shown(line)
        if text.startswith(WARNING):
            handled = threading.Event()
            warned.put((text[len(WARNING):], doubts if begun.is_set() else failures, handled))
            # One before the first step may end the run, which must not have begun by then.
            while not (begun.is_set() or failures or handled.wait(0.2)):
                pass
        if message is not None:
            message(text)

    def follow(_, now) -> None:
        begun.set()
        if progress is not None:
            progress({name: getattr(now.contents, name) for name, _ in Progress._fields_})

    observer = Observer()
    observer.message = MESSAGE(guarded(say, None))
    observer.progress = PROGRESS(guarded(follow, None))
    observer.stop = STOP(guarded(lambda _: int(stop is not None and bool(stop())), 1))

    observer.report = as_flag(report, "report") if out is not None or resume is not None else 0

    summary = Summary()
    function = "vaecuda_train" if resume is None else "vaecuda_train_resume"
    folder = os.fsdecode(as_path(out if resume is None else resume, "out")) if out is not None or resume is not None else None
    temporary = tempfile.mkdtemp(prefix="vaecuda-") if folder is None else None
    status, kept = None, False
    folder = temporary if folder is None else folder
    try:
        if resume is None:
            set_option(settings, "out", folder)
        status = _in_thread(lambda: invoke(function, settings, *sets, byref(observer), byref(summary)), failures, warned)
        if failures:
            raise failures[0]
        device, threads = get_option(settings, "device"), int(get_option(settings, "threads"))
        model = Vae.load(os.path.join(folder, "model.safetensors"), device, threads)
        if doubts:
            raise doubts[0]
    except BaseException as error:
        # A folder of the caller's holds this run where its call has returned, else perhaps an older one.
        kept = begun.is_set() and (temporary is not None or status is not None) and os.path.exists(
            os.path.join(folder, "model.safetensors"))
        if kept:
            _name_run(error, folder, status == STOPPED)
        raise
    finally:
        # An error that lies in what its own traceback leads to would keep all that the call held, the rows as well: the
        # way leads through an argument of ctypes, which the collector of cycles does not see.
        failures.clear()
        doubts.clear()
        for data in filter(None, sets):  # not as long as somebody keeps the error
            data.close()
        if temporary is not None and not kept:
            shutil.rmtree(temporary, ignore_errors=True)
    figures = {name: getattr(summary, name) for name, _ in Summary._fields_ if name != "size"}
    figures["stopped_early"] = bool(figures["stopped_early"])
    figures["stopped"] = status == STOPPED
    return Training(model, figures, None if temporary else folder)
