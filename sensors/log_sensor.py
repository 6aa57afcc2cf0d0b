from st2reactor.sensor.base import PollingSensor

from placement_recovery.config import Config
from placement_recovery.detection.follow.globs import LogGlob
from placement_recovery.detection.follow.sensor_log import SensorLog
from placement_recovery.detection.follow.watch import Watch


class LogSensor(PollingSensor):
    _watch = None

    def setup(self):
        config = Config.from_mapping(self.config or {})
        logger = self.sensor_service.get_logger(name=type(self).__name__)
        self._logger = SensorLog(logger)
        self._watch = Watch(
            self.sensor_service,
            [LogGlob(one) for one in config.log_globs],
            logger,
            from_start=config.log_start == "begin",
            cooldown=config.log_cooldown,
        )

    def poll(self):
        try:
            self._watch.poll()
        except Exception:  # StackStorm gives up a sensor that exits twice within 10 s of its start
            self._logger.exception("this poll failed; the next one continues")

    def cleanup(self):
        if self._watch is not None:
            self._watch.close()

    def add_trigger(self, trigger):
        pass

    def update_trigger(self, trigger):
        pass

    def remove_trigger(self, trigger):
        pass
