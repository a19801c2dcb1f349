"""A plugin for the LiteLLM proxy: asks the bot before a call, and reports to it afterwards what was used.

It needs what LiteLLM brings along (httpx) and the standard library. It is installed as `tokens_bot_litellm`.
"""

CONTRACT = "1"
"""The version of the HTTP contract that it speaks, told in the header `X-Tokens-Contract` of every request."""
