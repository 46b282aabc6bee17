"""Run the demo model: an OpenAI-compatible server that answers by rules."""

import asyncio
import errno
import ipaddress
import signal
from typing import Any

from django.core.management.base import CommandError, CommandParser

from core import commands
from demo.model.faults import FAULTS, read_faults
from demo.model.server import BatchSettings, DemoSettings, create_app, serve
from dialogues.display import DEMO_LABEL, DEMO_MODEL


class Command(commands.Command):
    help = (
        f"Serve an OpenAI-compatible model on loopback that answers by rules ({DEMO_LABEL}). "
        "Same seed and same requests, same replies, delays and faults. Ctrl-C stops it."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on (127.0.0.1).")
        parser.add_argument("--port", type=int, default=9160, help="Port; 0 takes a free one (9160).")
        parser.add_argument("--seed", type=int, default=0, help="Seed of texts, delays and faults (0).")
        parser.add_argument("--latency", type=float, default=0.2, help="Seconds before every answer (0.2).")
        parser.add_argument("--jitter", type=float, default=0.1, help="Up to this many seconds more (0.1).")
        parser.add_argument("--token-seconds", type=float, default=0.0, help="Seconds that writing a token takes (0).")
        parser.add_argument(
            "--error-rate", type=float, default=0.0, help="Share of requests answered 429 or 500, half each (0)."
        )
        parser.add_argument("--retry-after", type=float, default=1.0, help="Seconds a 429 asks to wait (1).")
        parser.add_argument(
            "--batch-seconds", type=float, default=2.0, help="Seconds until a batch of its Batch API ends (2)."
        )
        parser.add_argument(
            "--fault",
            action="append",
            default=[],
            metavar="NAME=SHARE",
            help=f"Share of requests that go wrong in one way; may be repeated. Names: {', '.join(FAULTS)}.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        settings = _settings(options)
        if not _is_loopback(options["host"]):
            self.stderr.write(
                f"{options['host']} is not loopback: whoever reaches this machine can use the demo model."
            )
        try:
            asyncio.run(self._serve(settings, options["host"], options["port"]))
        except (OSError, OverflowError) as error:
            raise CommandError(_listening_problem(error, options["host"], options["port"])) from error

    async def _serve(self, settings: DemoSettings, host: str, port: int) -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
        runner, port = await serve(create_app(settings), host, port)
        try:
            shown = f"[{host}]" if ":" in host else host
            self.stdout.write(f"Demo model on http://{shown}:{port}/v1, model {DEMO_MODEL} ({DEMO_LABEL})")
            self.stdout.flush()
            await stopped.wait()
        finally:
            await runner.cleanup()


def _settings(options: dict[str, Any]) -> DemoSettings:
    for name in ("latency", "jitter", "token_seconds", "retry_after", "batch_seconds"):
        if not 0 <= options[name] <= 3600:
            raise CommandError(f"--{name.replace('_', '-')} must lie between 0 and 3600 seconds.")
    try:
        faults = read_faults(options["fault"])
        for name in ("rate_limited", "server_error") if options["error_rate"] else ():
            faults[name] = faults.get(name, 0) + options["error_rate"] / 2
        plain = {name: options[name] for name in ("seed", "latency", "jitter", "token_seconds", "retry_after")}
        return DemoSettings(**plain, faults=faults, batches=BatchSettings(seconds=options["batch_seconds"]))
    except ValueError as error:
        raise CommandError(f"{error}.") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listening_problem(error: Exception, host: str, port: int) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken. Choose another with --port, or stop what uses it."
    return f"Cannot listen on {host} port {port} ({error}): choose another with --host and --port."
