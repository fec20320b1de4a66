# A client of python3-websockets: joins by its URL, sends a long PING, and ends after the first PUSH. Prints what it gets, a line each.
#   python3 deflate.py URL COMPRESSION       deflate, none, or keywords of ClientPerMessageDeflateFactory as JSON
import asyncio
import json
import sys

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory


async def main(url, compression):
    options = {"compression": None}
    if compression == "deflate":
        options = {}
    elif compression != "none":
        options["extensions"] = [ClientPerMessageDeflateFactory(**json.loads(compression))]
    async with websockets.connect(url, **options) as socket:
        print("extension", socket.response_headers.get("Sec-WebSocket-Extensions", "none"), flush=True)
        await socket.send(json.dumps({"type": "PING", "id": "long", "pad": "x" * 2000}))
        async for text in socket:
            message = json.loads(text)
            print(message["type"], message.get("id", ""), next(iter(message["data"].get("items", [])), ""), flush=True)
            if message["type"] == "PUSH":
                break
        await socket.close()
    print("closed", socket.close_code, flush=True)


asyncio.run(main(*sys.argv[1:]))
