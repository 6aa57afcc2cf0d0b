"""Runs one sensor in this process: started by ``sensors`` with the pack's Python (3.8 and later).

The request comes as the first line of JSON on stdin; the end of stdin is the end of the process, as sudden as that
which StackStorm gives a sensor. How the class is found and made follows st2reactor/container/sensor_wrapper.py and
st2common/util/loader.py.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import logging
import os
import sys
import threading
from typing import Any, Dict

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main() -> None:
    """Set the sensor up and let it run; an exception ends the process with its trace."""
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    sensor = make_sensor(request)
    sensor.setup()
    sensor.run()


def make_sensor(request: Dict[str, Any]) -> Any:
    """The sensor: its class's folder alone is on the path, and the stand-in where StackStorm is not."""
    if importlib.util.find_spec("st2common") is None:
        sys.path.append(request["standin"])
    sys.path.append(os.path.dirname(os.path.realpath(request["file"])))
    spec = importlib.util.spec_from_file_location("sensor_under_the_runner", request["file"])
    if spec is None or spec.loader is None:
        raise ImportError(f"{request['file']} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    service = _services().SensorService(request["pack"], request["class_name"])
    options = {"poll_interval": request["poll_interval"]} if request["poll_interval"] else {}
    return getattr(module, request["class_name"])(sensor_service=service, config=request["config"], **options)


def _services() -> Any:
    """What StackStorm hands to sensors; the lab's folder does not stay on the sensor's path."""
    sys.path.insert(0, ROOT)
    try:
        return importlib.import_module("lab.stackstorm.services")
    finally:
        sys.path.remove(ROOT)


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    sys.path.pop(0)  # the folder of this script is no business of the sensor
    main()
