"""A bare Python that imports httpx and makes the same requests, and does nothing with the answers. URL …"""

import sys

import httpx


def main(urls: list[str]) -> None:
    with httpx.Client() as client:
        for url in urls:
            client.get(url)


if __name__ == "__main__":
    main(sys.argv[1:])
